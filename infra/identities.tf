# A service account for each part. What each may do is in grants.tf.

locals {
  purpose = {
    ingest    = "Judges files that arrive in landing"
    predict   = "Answers predictions"
    monitor   = "Sweeps: judges what events missed, starts runs that are due"
    console   = "Shows pipelines to people, and does what operators ask for"
    train     = "Trains, proves and promotes models"
    trigger   = "Calls ingest with events of the landing bucket"
    scheduler = "Calls monitor"
    build     = "Builds functions and the training image"
    caller    = "May call predict; people mint its identity tokens"
  }
}

resource "google_service_account" "account" {
  for_each = local.name

  project      = var.project
  account_id   = each.value
  display_name = each.value
  description  = local.purpose[each.key]

  depends_on = [google_project_service.api]
}

# Asking for the Storage account creates it where a new project has none yet.
data "google_storage_project_service_account" "this" {
  project    = var.project
  depends_on = [google_project_service.base]
}
