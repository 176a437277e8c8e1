# When somebody is told, and what to do then.

locals {
  minutes = 60
  # Every condition below is about this deployment's own resources.
  service     = { for name in keys(local.functions) : name => "resource.type = \"cloud_run_revision\" AND resource.labels.service_name = \"${local.name[name]}\"" }
  any_service = "resource.type = \"cloud_run_revision\" AND resource.labels.service_name = one_of(${join(", ", [for name in keys(local.functions) : "\"${local.name[name]}\""])})"
  requests    = "metric.type = \"run.googleapis.com/request_count\""

  # Each second in which somebody asks makes one; a slip of the store is no news.
  lookups_in_a_row = 10

  three_ticks = "${max(3 * local.sweep.every_minutes, 10) * local.minutes}s"
}

resource "google_monitoring_notification_channel" "email" {
  for_each = var.alert_emails

  project      = var.project
  display_name = "${var.deployment}: ${each.key}"
  type         = "email"
  labels       = { email_address = each.key }
  user_labels  = local.labels

  depends_on = [google_project_service.api]
}

resource "google_monitoring_alert_policy" "quarantine_rate" {
  project               = var.project
  display_name          = "${var.deployment}: many files are quarantined"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.channels
  user_labels           = local.labels

  conditions {
    display_name = "More than ${var.quarantine_rate_alert * 100} % of a pipeline's files in ${var.quarantine_window_hours} h"
    condition_threshold {
      filter             = "metric.type = \"${local.metric_type.verdicts}\" AND resource.type = \"cloud_run_revision\" AND metric.labels.decision = \"quarantined\""
      denominator_filter = "metric.type = \"${local.metric_type.verdicts}\" AND resource.type = \"cloud_run_revision\""
      comparison         = "COMPARISON_GT"
      threshold_value    = var.quarantine_rate_alert
      duration           = "0s"

      aggregations {
        alignment_period     = local.quarantine_window
        per_series_aligner   = "ALIGN_DELTA"
        cross_series_reducer = "REDUCE_SUM"
        group_by_fields      = ["metric.label.pipeline"]
      }
      denominator_aggregations {
        alignment_period     = local.quarantine_window
        per_series_aligner   = "ALIGN_DELTA"
        cross_series_reducer = "REDUCE_SUM"
        group_by_fields      = ["metric.label.pipeline"]
      }
    }
  }

  documentation {
    mime_type = "text/markdown"
    content   = "`perennial quarantine list PIPELINE` names the files, `perennial quarantine show PIPELINE FILE` the rule, column and lines. Nothing of them was learned, and the champion goes on serving. `_unknown` holds files for misspelt pipelines."
  }

  depends_on = [terraform_data.metrics_settled]
}

resource "google_monitoring_alert_policy" "failed_runs" {
  project               = var.project
  display_name          = "${var.deployment}: training runs fail"
  combiner              = "OR"
  severity              = "ERROR"
  notification_channels = local.channels
  user_labels           = local.labels

  conditions {
    display_name = "An execution of ${local.name.train} failed"
    condition_threshold {
      filter          = "metric.type = \"run.googleapis.com/job/completed_execution_count\" AND resource.type = \"cloud_run_job\" AND resource.labels.job_name = \"${local.name.train}\" AND metric.labels.result = \"failed\""
      comparison      = "COMPARISON_GT"
      threshold_value = 0
      duration        = "0s"

      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_DELTA"
        cross_series_reducer = "REDUCE_SUM"
      }
    }
  }

  documentation {
    mime_type = "text/markdown"
    content   = "`perennial status` shows the last run and its reason; a run that ended without a record was perhaps short of memory (`job` in deployment.yaml). The sweep starts it again when new files are due, `perennial retrain PIPELINE` at once. The champion goes on serving."
  }

  depends_on = [google_project_service.api]
}

resource "google_monitoring_alert_policy" "training_alerts" {
  project               = var.project
  display_name          = "${var.deployment}: training doubts what it was given"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.channels
  user_labels           = local.labels

  conditions {
    display_name = "Files were set aside, or an earlier champion would do better"
    condition_threshold {
      filter          = "metric.type = \"${local.metric_type.training_alerts}\" AND resource.type = \"cloud_run_job\""
      comparison      = "COMPARISON_GT"
      threshold_value = 0
      duration        = "0s"

      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_DELTA"
        cross_series_reducer = "REDUCE_SUM"
        group_by_fields      = ["metric.label.pipeline", "metric.label.alert"]
      }
    }
  }

  documentation {
    mime_type = "text/markdown"
    content   = "`perennial status PIPELINE` says what was found, with its numbers, and names files and versions. `perennial quarantine release` has a suspect file learned after all, `perennial recall` takes a learned one back, `perennial rollback` returns to an earlier champion."
  }

  depends_on = [terraform_data.metrics_settled]
}

resource "google_monitoring_alert_policy" "dead_letters" {
  project               = var.project
  display_name          = "${var.deployment}: events could not be handled"
  combiner              = "OR"
  severity              = "ERROR"
  notification_channels = local.channels
  user_labels           = local.labels

  conditions {
    display_name = "Dead letters wait to be looked at"
    condition_threshold {
      filter          = "metric.type = \"pubsub.googleapis.com/subscription/num_undelivered_messages\" AND resource.type = \"pubsub_subscription\" AND resource.labels.subscription_id = \"${google_pubsub_subscription.dead_letters.name}\""
      comparison      = "COMPARISON_GT"
      threshold_value = 0
      duration        = "0s"

      aggregations {
        alignment_period   = "300s"
        per_series_aligner = "ALIGN_MAX"
      }
    }
  }

  documentation {
    mime_type = "text/markdown"
    content   = "ingest refused an event until the last attempt. Its log says why; the sweep judges the file as soon as that is mended. Pull and acknowledge the messages of the subscription `${google_pubsub_subscription.dead_letters.name}` to end this alert."
  }

  depends_on = [google_project_service.api]
}

resource "google_monitoring_alert_policy" "server_errors" {
  project               = var.project
  display_name          = "${var.deployment}: a service answers 5xx"
  combiner              = "OR"
  severity              = "ERROR"
  notification_channels = local.channels
  user_labels           = local.labels

  conditions {
    display_name = "More than ${var.error_rate_alert * 100} % of a service's answers in 15 minutes"
    condition_threshold {
      filter             = "${local.requests} AND ${local.any_service} AND metric.labels.response_code_class = \"5xx\""
      denominator_filter = "${local.requests} AND ${local.any_service}"
      comparison         = "COMPARISON_GT"
      threshold_value    = var.error_rate_alert
      duration           = "0s"

      aggregations {
        alignment_period     = "900s"
        per_series_aligner   = "ALIGN_DELTA"
        cross_series_reducer = "REDUCE_SUM"
        group_by_fields      = ["resource.label.service_name"]
      }
      denominator_aggregations {
        alignment_period     = "900s"
        per_series_aligner   = "ALIGN_DELTA"
        cross_series_reducer = "REDUCE_SUM"
        group_by_fields      = ["resource.label.service_name"]
      }
    }
  }

  documentation {
    mime_type = "text/markdown"
    content   = "The service's log has the error. ingest is called again by itself and loses nothing; predict answers 503 where no version is approved yet; `perennial doctor` looks at grants and settings."
  }

  depends_on = [google_project_service.api]
}

resource "google_monitoring_alert_policy" "failed_lookups" {
  project               = var.project
  display_name          = "${var.deployment}: predict cannot follow the registry"
  combiner              = "OR"
  severity              = "ERROR"
  notification_channels = local.channels
  user_labels           = local.labels

  conditions {
    display_name = "More than ${local.lookups_in_a_row} look-ups of a pipeline failed in 5 minutes"
    condition_threshold {
      filter          = "metric.type = \"${local.metric_type.failed_lookups}\" AND resource.type = \"cloud_run_revision\""
      comparison      = "COMPARISON_GT"
      threshold_value = local.lookups_in_a_row
      duration        = "0s"

      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_DELTA"
        cross_series_reducer = "REDUCE_SUM"
        group_by_fields      = ["metric.label.pipeline"]
      }
    }
  }

  documentation {
    mime_type = "text/markdown"
    content   = "A version that served before goes on serving. `GET /` of predict says which version the registry names, which one serves, why, and since when; so does its log. `perennial check PIPELINE` looks at the champion's files, `perennial rollback PIPELINE` returns to an earlier champion, `perennial doctor` looks at grants."
  }

  depends_on = [terraform_data.metrics_settled]
}

resource "google_monitoring_alert_policy" "findings" {
  for_each = { WARNING = "warning", ERROR = "error" }

  project               = var.project
  display_name          = "${var.deployment}: monitor found something (${each.value})"
  combiner              = "OR"
  severity              = each.key
  notification_channels = local.channels
  user_labels           = local.labels

  conditions {
    display_name = "A finding of severity ${each.value} opened or got worse"
    condition_threshold {
      filter          = "metric.type = \"${local.metric_type.findings}\" AND resource.type = \"cloud_run_revision\" AND metric.labels.severity = \"${each.value}\""
      comparison      = "COMPARISON_GT"
      threshold_value = 0
      duration        = "0s"

      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_DELTA"
        cross_series_reducer = "REDUCE_SUM"
        group_by_fields      = ["metric.label.pipeline", "metric.label.finding"]
      }
    }
  }

  documentation {
    mime_type = "text/markdown"
    content   = "`perennial monitor PIPELINE` shows what is open, with its numbers and what to do. A finding is told once when it opens and once more if it gets much worse; this alert ends by itself, the finding when its cause does. `monitoring` in the pipeline's definition sets limits, or has a kind ignored."
  }

  depends_on = [terraform_data.metrics_settled]
}

resource "google_monitoring_alert_policy" "stale_champion" {
  project               = var.project
  display_name          = "${var.deployment}: a champion is stale"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.channels
  user_labels           = local.labels

  conditions {
    display_name = "A champion is ${var.stale_champion_days} days old"
    condition_threshold {
      filter          = "metric.type = \"${local.metric_type.stale_champions}\" AND resource.type = \"cloud_run_revision\""
      comparison      = "COMPARISON_GT"
      threshold_value = 0
      duration        = "0s"

      aggregations {
        alignment_period     = "3600s" # a sweep comes at least once in it
        per_series_aligner   = "ALIGN_DELTA"
        cross_series_reducer = "REDUCE_SUM"
        group_by_fields      = ["metric.label.pipeline"]
      }
    }
  }

  documentation {
    mime_type = "text/markdown"
    content   = "`perennial status PIPELINE` says what it waits for: files that do not come, an approval, a pin, a gate that nothing passes (`perennial versions PIPELINE --explain V`)."
  }

  depends_on = [terraform_data.metrics_settled]
}

resource "google_monitoring_alert_policy" "sweep" {
  project               = var.project
  display_name          = "${var.deployment}: the sweep is absent or fails"
  combiner              = "OR"
  severity              = "ERROR"
  enabled               = !var.sweep_paused
  notification_channels = local.channels
  user_labels           = local.labels

  conditions {
    display_name = "No sweep succeeded in ${local.three_ticks}"
    condition_absent {
      filter   = "${local.requests} AND ${local.service.monitor} AND metric.labels.response_code_class = \"2xx\""
      duration = local.three_ticks

      aggregations {
        alignment_period     = "60s"
        per_series_aligner   = "ALIGN_DELTA"
        cross_series_reducer = "REDUCE_SUM"
      }
    }
  }

  # Absence is only noticed where there was something before; refusals (403) and failures are
  # noticed from the first.
  conditions {
    display_name = "Sweeps are refused or fail"
    condition_threshold {
      filter          = "${local.requests} AND ${local.service.monitor} AND metric.labels.response_code_class != \"2xx\""
      comparison      = "COMPARISON_GT"
      threshold_value = 2
      duration        = "0s"

      aggregations {
        alignment_period     = local.three_ticks
        per_series_aligner   = "ALIGN_DELTA"
        cross_series_reducer = "REDUCE_SUM"
      }
    }
  }

  documentation {
    mime_type = "text/markdown"
    content   = "What events missed stays unjudged, failed runs are not started again, and nobody watches. `perennial doctor` looks at the schedule and its grant; the log of ${local.name.monitor} names pipelines and errors; `perennial sweep` does by hand what the schedule would."
  }

  depends_on = [google_project_service.api]
}

locals {
  channels          = [for channel in google_monitoring_notification_channel.email : channel.id]
  quarantine_window = "${var.quarantine_window_hours * 60 * local.minutes}s"
}
