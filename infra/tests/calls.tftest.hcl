# How parts call each other: events, their retry and dead letters, the schedule, APIs.

mock_provider "google" {
  source = "./tests/mocks"
}

variables {
  project        = "flower-shop"
  region         = "europe-west1"
  train_image    = "europe-west1-docker.pkg.dev/flower-shop/perennial/train@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
  settle_seconds = 0
}

run "default" {
  command = apply

  assert {
    condition = { for criterion in google_eventarc_trigger.ingest.matching_criteria : criterion.attribute => criterion.value } == {
      type   = "google.cloud.storage.object.v1.finalized"
      bucket = "flower-shop-perennial-landing"
    }
    error_message = "The trigger is not for finalized objects of landing."
  }

  assert {
    condition     = alltrue([for criterion in google_eventarc_trigger.ingest.matching_criteria : criterion.operator == null || criterion.operator == ""])
    error_message = "Storage events match exactly: there is no prefix or pattern."
  }

  assert {
    condition     = google_eventarc_trigger.ingest.destination[0].cloud_run_service[0].service == "perennial-ingest" && google_eventarc_trigger.ingest.destination[0].cloud_run_service[0].region == "europe-west1"
    error_message = "The trigger does not call ingest."
  }

  assert {
    condition     = google_eventarc_trigger.ingest.service_account == "perennial-trigger@flower-shop.iam.gserviceaccount.com"
    error_message = "The trigger calls as its own account."
  }

  assert {
    condition     = google_eventarc_trigger.ingest.location == google_storage_bucket.bucket["landing"].location
    error_message = "A trigger fires only for a bucket in its own location."
  }

  assert {
    condition     = length(google_eventarc_trigger.ingest.retry_policy) == 0
    error_message = "A retry policy of a trigger would end the retry: its only value is one attempt."
  }

  assert {
    condition     = google_cloudfunctions2_function.function["ingest"].service_config[0].timeout_seconds < local.table.events.ack_deadline_seconds
    error_message = "An event would come again while it is being handled."
  }

  assert {
    condition     = google_pubsub_subscription.dead_letters.topic == google_pubsub_topic.dead_letters.id && google_pubsub_subscription.dead_letters.expiration_policy[0].ttl == ""
    error_message = "Dead letters are kept by a subscription that never expires."
  }

  assert {
    condition     = google_pubsub_topic.dead_letters.message_storage_policy[0].allowed_persistence_regions == toset(["europe-west1"])
    error_message = "Dead letters stay in the region."
  }

  assert {
    condition = [
      google_cloud_scheduler_job.sweep.schedule,
      google_cloud_scheduler_job.sweep.time_zone,
      google_cloud_scheduler_job.sweep.attempt_deadline,
      google_cloud_scheduler_job.sweep.http_target[0].http_method,
      google_cloud_scheduler_job.sweep.http_target[0].uri,
      base64decode(google_cloud_scheduler_job.sweep.http_target[0].body),
    ] == ["*/10 * * * *", "Etc/UTC", "600s", "POST", "https://monitor-x.run.app/", "{}"]
    error_message = "The schedule does not call monitor as documented."
  }

  assert {
    condition     = google_cloud_scheduler_job.sweep.http_target[0].oidc_token[0].service_account_email == "perennial-scheduler@flower-shop.iam.gserviceaccount.com" && google_cloud_scheduler_job.sweep.http_target[0].oidc_token[0].audience == "https://monitor-x.run.app"
    error_message = "The scheduler identifies itself with a token for monitor."
  }

  assert {
    condition     = google_cloud_scheduler_job.sweep.paused == false
    error_message = "The schedule runs."
  }

  assert {
    condition = toset(concat(
      [for api in values(google_project_service.base) : api.service],
      [for api in values(google_project_service.api) : api.service],
      )) == toset([
      "artifactregistry.googleapis.com",
      "cloudbuild.googleapis.com",
      "cloudfunctions.googleapis.com",
      "cloudresourcemanager.googleapis.com",
      "cloudscheduler.googleapis.com",
      "eventarc.googleapis.com",
      "iam.googleapis.com",
      "iamcredentials.googleapis.com",
      "logging.googleapis.com",
      "monitoring.googleapis.com",
      "pubsub.googleapis.com",
      "run.googleapis.com",
      "storage.googleapis.com",
    ])
    error_message = "The enabled APIs are not those that the parts need."
  }

  assert {
    condition = alltrue(concat(
      [for api in values(google_project_service.base) : api.disable_on_destroy == false],
      [for api in values(google_project_service.api) : api.disable_on_destroy == false],
    ))
    error_message = "Destroying a deployment must not switch off APIs that others use."
  }

  assert {
    condition = {
      for key, value in jsondecode(google_storage_bucket_object.descriptor.content) : key => value if !contains(["subscription", "dead_letter_topic", "trigger", "scheduler_job", "table"], key)
      } == {
      format     = 1
      project    = "flower-shop"
      region     = "europe-west1"
      deployment = "perennial"
      buckets = {
        landing     = "flower-shop-perennial-landing"
        quarantine  = "flower-shop-perennial-quarantine"
        data        = "flower-shop-perennial-data"
        models      = "flower-shop-perennial-models"
        predictions = "flower-shop-perennial-predictions"
      }
      train_job      = "perennial-train"
      predict        = "https://predict-x.run.app"
      caller         = "perennial-caller@flower-shop.iam.gserviceaccount.com"
      services       = { ingest = "perennial-ingest", predict = "perennial-predict", monitor = "perennial-monitor" }
      predict_public = false
      model_packages = {}
    }
    error_message = "What command lines read does not describe the deployment."
  }

  assert {
    condition     = google_storage_bucket_object.descriptor.bucket == "flower-shop-perennial-models" && google_storage_bucket_object.descriptor.name == "deployment.json"
    error_message = "Command lines look for deployment.json at the root of the models bucket."
  }
}

run "paused" {
  command = plan
  variables {
    sweep_paused = true
  }

  assert {
    condition     = google_cloud_scheduler_job.sweep.paused
    error_message = "sweep_paused holds the schedule."
  }
}
