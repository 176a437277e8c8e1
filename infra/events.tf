# From landing to ingest: Storage publishes to a topic of Eventarc's, whose push subscription calls
# the function, and again with growing pauses until the answer is 2xx. That is the retry: there is
# no retry_policy block, since its only valid value, one attempt, would end it.
#
# Eventarc makes that subscription with an acknowledgement deadline of 10 seconds and no dead
# letters, and no resource can take it over, so `make deploy` sets on it what deployment.yaml says
# under `events`, and `perennial doctor` verifies it. The subscription is an output.

locals {
  # Writing a `transport` block to be surer of this would replace the trigger at every apply: its
  # topic is not ours to name. Mocked providers cannot fill a block that nobody wrote, hence `try`.
  subscription      = try(google_eventarc_trigger.ingest.transport[0].pubsub[0].subscription, "")
  dead_letter_topic = "projects/${var.project}/topics/${google_pubsub_topic.dead_letters.name}"
}

resource "google_eventarc_trigger" "ingest" {
  project                 = var.project
  location                = var.region # of the bucket: elsewhere it would never fire
  name                    = local.name.ingest
  labels                  = local.labels
  service_account         = local.email.trigger
  event_data_content_type = "application/json"

  matching_criteria {
    attribute = "type"
    value     = local.table.events.type
  }
  matching_criteria {
    attribute = "bucket"
    value     = google_storage_bucket.bucket["landing"].name
  }

  destination {
    cloud_run_service {
      service = google_cloudfunctions2_function.function["ingest"].name # its service has its name
      region  = var.region
    }
  }

  lifecycle {
    precondition {
      condition     = local.functions.ingest.timeout_seconds <= local.table.events.ack_deadline_seconds
      error_message = "ingest's timeout must not exceed the acknowledgement deadline: an event would come again while it is being handled."
    }
  }

  depends_on = [
    google_cloud_run_v2_service_iam_member.grant,
    terraform_data.grants_settled,
  ]
}

# Events that ingest refused until the last attempt. The sweep judges their files all the same;
# the letters show why it had to.
resource "google_pubsub_topic" "dead_letters" {
  project = var.project
  name    = "${var.deployment}-dead-letters"
  labels  = local.labels

  message_storage_policy {
    allowed_persistence_regions = [var.region]
  }

  depends_on = [google_project_service.api]
}

# A topic alone keeps nothing.
resource "google_pubsub_subscription" "dead_letters" {
  project                    = var.project
  name                       = "${var.deployment}-dead-letters"
  topic                      = google_pubsub_topic.dead_letters.id
  labels                     = local.labels
  ack_deadline_seconds       = 60
  message_retention_duration = "${local.table.events.retention_seconds}s"

  expiration_policy {
    ttl = "" # never: 31 days without a reader would end it
  }
}
