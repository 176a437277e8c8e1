# What a command line needs to find everything, at the root of the models bucket: with it,
# `perennial --project P` needs no other setting, and doctor compares it with what it finds.

locals {
  descriptor_name = "deployment.json"

  # The table as it is deployed, with what variables changed in it.
  deployed = merge(local.table, {
    functions = { for name, function in local.functions : name => merge(function, local.instances[name]) }
    sweep     = merge(local.sweep, { for flag in [var.sweep_paused] : "paused" => flag if flag })
  })
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
    trigger           = basename(google_eventarc_trigger.ingest.name) # once made, it has its full name
    subscription      = local.subscription
    dead_letter_topic = local.dead_letter_topic
    scheduler_job     = google_cloud_scheduler_job.sweep.name
    predict_public    = var.predict_public
    table             = local.deployed
    model_packages    = var.model_packages
  })
}
