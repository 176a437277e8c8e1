# One tick for all pipelines: they are data, and applying one makes no cloud resource.

locals {
  sweep = local.table.sweep
  cron  = local.sweep.every_minutes == 60 ? "0 * * * *" : "*/${local.sweep.every_minutes} * * * *"
}

resource "google_cloud_scheduler_job" "sweep" {
  project          = var.project
  region           = var.region
  name             = "${var.deployment}-sweep"
  description      = "Judges what events missed and starts runs that are due"
  schedule         = local.cron
  time_zone        = "Etc/UTC"
  paused           = var.sweep_paused
  attempt_deadline = "${local.sweep.attempt_seconds}s"

  retry_config {
    retry_count          = 1 # for a hiccup; whatever lasts, the next tick finds
    min_backoff_duration = "30s"
  }

  http_target {
    http_method = local.sweep.method
    uri         = "${google_cloudfunctions2_function.function["monitor"].service_config[0].uri}${local.sweep.path}"
    body        = base64encode(local.sweep.body)
    headers     = { "Content-Type" = "application/json" }

    oidc_token {
      service_account_email = local.email.scheduler
      audience              = google_cloudfunctions2_function.function["monitor"].service_config[0].uri
    }
  }

  lifecycle {
    precondition {
      condition     = try(60 % local.sweep.every_minutes == 0, false)
      error_message = "every_minutes must divide 60: the ticks would not be evenly apart."
    }
    precondition {
      condition     = local.sweep.attempt_seconds >= local.functions.monitor.timeout_seconds && local.sweep.attempt_seconds <= 1800
      error_message = "attempt_seconds must be at least monitor's timeout and at most 1800: a sweep that works would count as failed."
    }
  }

  depends_on = [
    google_project_service.api,
    google_cloud_run_v2_service_iam_member.grant,
  ]
}
