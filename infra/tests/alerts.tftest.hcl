# What is counted, and when somebody is told.

mock_provider "google" {
  source = "./tests/mocks"
}

variables {
  project        = "flower-shop"
  region         = "europe-west1"
  train_image    = "europe-west1-docker.pkg.dev/flower-shop/perennial/train@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
  settle_seconds = 0
}

run "default" {
  command = plan

  assert {
    condition = { for name, metric in google_logging_metric.metric : name => metric.name } == {
      verdicts        = "perennial/verdicts"
      champion_age    = "perennial/champion_age"
      stale_champions = "perennial/stale_champions"
      training_alerts = "perennial/training_alerts"
    }
    error_message = "The metrics are not the documented ones."
  }

  assert {
    condition     = google_logging_metric.metric["verdicts"].label_extractors == tomap({ pipeline = "EXTRACT(jsonPayload.pipeline)", decision = "EXTRACT(jsonPayload.decision)" })
    error_message = "Verdicts are counted by pipeline and decision."
  }

  assert {
    condition = alltrue([
      for service in ["perennial-ingest", "perennial-monitor"] : strcontains(google_logging_metric.metric["verdicts"].filter, "\"${service}\"")
    ])
    error_message = "Both that judge are counted."
  }

  assert {
    condition     = strcontains(google_logging_metric.metric["training_alerts"].filter, "job_name=\"perennial-train\"") && google_logging_metric.metric["training_alerts"].label_extractors == tomap({ pipeline = "EXTRACT(jsonPayload.pipeline)", alert = "EXTRACT(jsonPayload.alert)" })
    error_message = "Training's alerts are those of this deployment's job, by pipeline and kind."
  }

  assert {
    condition     = strcontains(google_logging_metric.metric["stale_champions"].filter, "champion_age_seconds>=2592000")
    error_message = "By default a champion is stale after 30 days."
  }

  assert {
    condition = [
      google_monitoring_alert_policy.quarantine_rate.conditions[0].condition_threshold[0].threshold_value,
      google_monitoring_alert_policy.failed_runs.conditions[0].condition_threshold[0].threshold_value,
      google_monitoring_alert_policy.training_alerts.conditions[0].condition_threshold[0].threshold_value,
      google_monitoring_alert_policy.dead_letters.conditions[0].condition_threshold[0].threshold_value,
      google_monitoring_alert_policy.server_errors.conditions[0].condition_threshold[0].threshold_value,
      google_monitoring_alert_policy.stale_champion.conditions[0].condition_threshold[0].threshold_value,
    ] == [0.2, 0, 0, 0, 0.05, 0]
    error_message = "A threshold is not the documented one."
  }

  assert {
    condition     = strcontains(google_monitoring_alert_policy.quarantine_rate.conditions[0].condition_threshold[0].filter, "user/perennial/verdicts\"")
    error_message = "The quarantine rate is not of this deployment's verdicts."
  }

  assert {
    condition     = google_monitoring_alert_policy.sweep.conditions[0].condition_absent[0].duration == "1800s"
    error_message = "Three ticks without a sweep are noticed."
  }

  assert {
    condition     = length(google_monitoring_notification_channel.email) == 0
    error_message = "Nobody is written to who did not ask."
  }
}

run "with_addresses" {
  command = apply
  variables {
    alert_emails        = ["oncall@example.com"]
    stale_champion_days = 14
    sweep_paused        = true
  }

  assert {
    condition = alltrue([
      for policy in [
        google_monitoring_alert_policy.quarantine_rate,
        google_monitoring_alert_policy.failed_runs,
        google_monitoring_alert_policy.dead_letters,
        google_monitoring_alert_policy.server_errors,
        google_monitoring_alert_policy.stale_champion,
        google_monitoring_alert_policy.sweep,
      ] : policy.notification_channels == tolist([google_monitoring_notification_channel.email["oncall@example.com"].id])
    ])
    error_message = "An alert tells nobody."
  }

  assert {
    condition     = strcontains(google_logging_metric.metric["stale_champions"].filter, "champion_age_seconds>=1209600")
    error_message = "The age from which a champion is stale is a variable."
  }

  assert {
    condition     = !google_monitoring_alert_policy.sweep.enabled
    error_message = "A sweep that is paused is not missed."
  }
}
