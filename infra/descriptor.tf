# What a command line needs to find everything, at the root of the models bucket: with it,
# `perennial --project P` needs no other setting, and doctor compares it with what it finds.

locals {
  descriptor_name = "deployment.json"
}

resource "google_storage_bucket_object" "descriptor" {
  bucket       = google_storage_bucket.bucket["models"].name
  name         = local.descriptor_name
  content_type = "application/json"

  content = jsonencode({
    format            = 1
    project           = var.project
    region            = var.region
    deployment        = var.deployment
    buckets           = { for role in ["landing", "quarantine", "data", "models", "predictions"] : role => local.bucket_name[role] }
    train_job         = local.name.train
    predict           = google_cloudfunctions2_function.function["predict"].service_config[0].uri
    caller            = local.email.caller
    services          = { for name in keys(local.functions) : name => local.name[name] }
    trigger           = google_eventarc_trigger.ingest.name
    subscription      = local.subscription
    dead_letter_topic = google_pubsub_topic.dead_letters.id
    scheduler_job     = google_cloud_scheduler_job.sweep.name
    predict_public    = var.predict_public
    table             = local.table
  })
}
