# What Google Cloud would answer, where it matters what that looks like.

mock_data "google_project" {
  defaults = {
    number = "123456789012"
  }
}

mock_data "google_storage_project_service_account" {
  defaults = {
    email_address = "service-123456789012@gs-project-accounts.iam.gserviceaccount.com"
    member        = "serviceAccount:service-123456789012@gs-project-accounts.iam.gserviceaccount.com"
  }
}

mock_resource "google_logging_project_sink" {
  defaults = {
    writer_identity = "serviceAccount:service-123456789012@gcp-sa-logging.iam.gserviceaccount.com"
  }
}

mock_resource "google_artifact_registry_repository" {
  defaults = {
    name = "perennial"
  }
}

override_resource {
  target = google_cloudfunctions2_function.function["predict"]
  values = {
    service_config = { uri = "https://predict-x.run.app" }
  }
}

override_resource {
  target = google_cloudfunctions2_function.function["monitor"]
  values = {
    service_config = { uri = "https://monitor-x.run.app" }
  }
}
