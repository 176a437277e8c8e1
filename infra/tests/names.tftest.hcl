# Names and places flow from the variables.

mock_provider "google" {
  source = "./tests/mocks"
}

variables {
  project        = "other-shop"
  region         = "us-central1"
  train_image    = "us-central1-docker.pkg.dev/other-shop/roses/train@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
  deployment     = "roses"
  settle_seconds = 0
}

run "elsewhere" {
  command = plan

  assert {
    condition     = alltrue([for role, bucket in google_storage_bucket.bucket : bucket.name == "other-shop-roses-${role}" && bucket.location == "us-central1" && bucket.project == "other-shop"])
    error_message = "A bucket does not follow project, region or deployment."
  }

  assert {
    condition     = alltrue([for part, function in google_cloudfunctions2_function.function : function.name == "roses-${part}" && function.location == "us-central1" && function.project == "other-shop"])
    error_message = "A function does not follow project, region or deployment."
  }

  assert {
    condition     = alltrue([for part, account in google_service_account.account : account.account_id == "roses-${part}" && account.project == "other-shop"])
    error_message = "An account does not follow project or deployment."
  }

  assert {
    condition     = google_cloud_run_v2_job.train.name == "roses-train" && google_cloud_run_v2_job.train.location == "us-central1"
    error_message = "The job does not follow region or deployment."
  }

  assert {
    condition     = google_eventarc_trigger.ingest.name == "roses-ingest" && google_eventarc_trigger.ingest.location == "us-central1"
    error_message = "The trigger does not follow region or deployment."
  }

  assert {
    condition     = google_cloud_scheduler_job.sweep.name == "roses-sweep" && google_cloud_scheduler_job.sweep.region == "us-central1"
    error_message = "The schedule does not follow region or deployment."
  }

  assert {
    condition     = google_artifact_registry_repository.images.repository_id == "roses" && google_artifact_registry_repository.images.location == "us-central1"
    error_message = "The image repository does not follow region or deployment."
  }

  assert {
    condition = alltrue(flatten([
      for environment in concat(
        [for function in google_cloudfunctions2_function.function : function.service_config[0].environment_variables],
        [{ for variable in google_cloud_run_v2_job.train.template[0].template[0].containers[0].env : variable.name => variable.value }],
        ) : [
        environment.PERENNIAL_LANDING_BUCKET == "other-shop-roses-landing",
        environment.PERENNIAL_QUARANTINE_BUCKET == "other-shop-roses-quarantine",
        environment.PERENNIAL_DATA_BUCKET == "other-shop-roses-data",
        environment.PERENNIAL_MODELS_BUCKET == "other-shop-roses-models",
        environment.PERENNIAL_PROJECT == "other-shop",
        environment.PERENNIAL_REGION == "us-central1",
        environment.PERENNIAL_TRAIN_JOB == "roses-train",
        environment.GOOGLE_CLOUD_PROJECT == "other-shop",
      ]
    ]))
    error_message = "A part is told about another deployment."
  }
}
