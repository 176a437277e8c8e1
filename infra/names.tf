# Names, and the table of what is deployed. The local cloud reads the same table.

data "google_project" "this" {
  project_id = var.project
  depends_on = [google_project_service.base]
}

locals {
  table     = yamldecode(file("${path.module}/deployment.yaml"))
  functions = local.table.functions
  job       = local.table.job.train

  labels = {
    app        = "perennial"
    deployment = var.deployment
  }

  name = { # of services, the job, and their accounts
    for part in concat(keys(local.functions), ["train", "trigger", "scheduler", "build", "caller"], tolist(local.pages)) :
    part => "${var.deployment}-${part}"
  }

  # Beside the table's: zips to build from, and prediction logs.
  bucket_name = {
    for role in concat(keys(local.table.buckets), ["sources", "predictions"]) :
    role => "${var.project}-${var.deployment}-${role}"
  }

  # Written out instead of read from the resources: a plan then shows who gets what before any
  # account exists.
  email = {
    for part, name in local.name : part => "${name}@${var.project}.iam.gserviceaccount.com"
  }

  # What every function and the job is told. localdev/settings.py `deployment()` is its local twin.
  settings = {
    PERENNIAL_LANDING_BUCKET     = local.bucket_name.landing
    PERENNIAL_QUARANTINE_BUCKET  = local.bucket_name.quarantine
    PERENNIAL_DATA_BUCKET        = local.bucket_name.data
    PERENNIAL_MODELS_BUCKET      = local.bucket_name.models
    PERENNIAL_PREDICTIONS_BUCKET = local.bucket_name.predictions
    PERENNIAL_PROJECT            = var.project
    PERENNIAL_REGION             = var.region
    PERENNIAL_TRAIN_JOB          = local.name.train
    PERENNIAL_CLAIM_SECONDS      = tostring(local.table.claim_seconds)
    GOOGLE_CLOUD_PROJECT         = var.project # Cloud Run does not set it by itself
  }

  function_environment = {
    for name, function in local.functions : name => merge(
      local.settings,
      {
        # The framework starts four threads a core by default, which starves CPU-bound handlers.
        THREADS = tostring(function.concurrency)
        WORKERS = "1"
      },
      function.kind == "asgi" ? { FUNCTION_USE_ASGI = "1" } : {},
      name == "monitor" && nonsensitive(var.alert_webhook != "") ? { PERENNIAL_ALERT_WEBHOOK = var.alert_webhook } : {},
      try(function.environment, {}),
    )
  }

  job_environment = merge(
    local.settings,
    local.job.environment,
    length(var.model_packages) == 0 ? {} : { PERENNIAL_MODEL_PACKAGES = join(",", sort(keys(var.model_packages))) },
  )
}
