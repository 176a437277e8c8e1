# Where log lines go. Prediction logs hold people's data: they go to a bucket of ours and nowhere
# else. monitor reads them there, and failed look-ups beside them. Everything else of this deployment goes to a log bucket in the region, instead of the
# project's _Default one, which is global unless the organisation says otherwise.

locals {
  ours = {
    services    = "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=(${join(" OR ", [for name in keys(local.functions) : "\"${local.name[name]}\""])})"
    job         = "resource.type=\"cloud_run_job\" AND resource.labels.job_name=\"${local.name.train}\""
    schedule    = "resource.type=\"cloud_scheduler_job\" AND resource.labels.job_id=\"${var.deployment}-sweep\""
    predictions = "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=\"${local.name.predict}\" AND jsonPayload.logger=\"perennial.predictions\""
    look_ups    = "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=\"${local.name.predict}\" AND jsonPayload.logger=\"perennial.workflows.serving.pipeline\" AND jsonPayload.failed_lookup:*"
  }
  operations = "(${local.ours.services}) OR (${local.ours.job}) OR (${local.ours.schedule})"
}

resource "google_logging_project_sink" "predictions" {
  project                = var.project
  name                   = "${var.deployment}-predictions"
  description            = "Prediction logs and failed look-ups, as files by the hour"
  destination            = "storage.googleapis.com/${google_storage_bucket.bucket["predictions"].name}"
  filter                 = "(${local.ours.predictions}) OR (${local.ours.look_ups})"
  unique_writer_identity = true # grants.tf lets it add to the bucket

  depends_on = [google_project_service.api]
}

resource "google_logging_project_exclusion" "predictions" {
  project     = var.project
  name        = "${var.deployment}-predictions"
  description = "They are kept in gs://${local.bucket_name.predictions}"
  filter      = local.ours.predictions

  depends_on = [google_project_service.api]
}

# The name of a deleted log bucket stays taken for a week, in which a new deployment must be possible.
resource "terraform_data" "log_bucket" {}

resource "google_logging_project_bucket_config" "operations" {
  count = var.regional_logs ? 1 : 0

  project        = var.project
  location       = var.region
  bucket_id      = "${var.deployment}-${substr(terraform_data.log_bucket.id, 0, 8)}"
  description    = "Logs of the ${var.deployment} deployment"
  retention_days = var.log_days

  depends_on = [google_project_service.api]
}

resource "google_logging_project_sink" "operations" {
  count = var.regional_logs ? 1 : 0

  project                = var.project
  name                   = "${var.deployment}-operations"
  description            = "Logs of functions, job and schedule, kept in ${var.region}"
  destination            = "logging.googleapis.com/${google_logging_project_bucket_config.operations[0].id}"
  filter                 = local.operations
  unique_writer_identity = true # a log bucket of the same project needs no grant

  exclusions {
    name   = "predictions"
    filter = local.ours.predictions
  }
}

# Log-based metrics count what is excluded too.
resource "google_logging_project_exclusion" "operations" {
  count = var.regional_logs ? 1 : 0

  project     = var.project
  name        = "${var.deployment}-operations"
  description = "They are kept in a log bucket in ${var.region}"
  filter      = local.operations

  depends_on = [google_logging_project_sink.operations] # no line is lost in between
}
