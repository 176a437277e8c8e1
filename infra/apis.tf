# APIs. None is switched off when the deployment goes: other things in the project may use it.

locals {
  # What reading the project's number and its Storage account takes. These stand apart because the
  # look-ups depend on them alone: an API that is added below then postpones no look-up to the
  # apply, which would make every grant to a Google-managed account look replaced.
  base_apis = toset([
    "cloudresourcemanager.googleapis.com",
    "storage.googleapis.com",
  ])

  apis = toset(concat(var.console ? ["iap.googleapis.com"] : [], [
    "artifactregistry.googleapis.com",
    "cloudbuild.googleapis.com",
    "cloudfunctions.googleapis.com",
    "cloudscheduler.googleapis.com",
    "eventarc.googleapis.com",
    "iam.googleapis.com",
    "iamcredentials.googleapis.com", # people mint identity tokens of the caller account
    "logging.googleapis.com",
    "monitoring.googleapis.com",
    "pubsub.googleapis.com",
    "run.googleapis.com",
  ]))
}

resource "google_project_service" "base" {
  for_each           = local.base_apis
  project            = var.project
  service            = each.key
  disable_on_destroy = false
}

resource "google_project_service" "api" {
  for_each           = local.apis
  project            = var.project
  service            = each.key
  disable_on_destroy = false
  depends_on         = [google_project_service.base]
}
