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
      failed_lookups  = "perennial/failed_lookups"
      training_alerts = "perennial/training_alerts"
      findings        = "perennial/findings"
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
    condition     = strcontains(google_logging_metric.metric["findings"].filter, "service_name=\"perennial-monitor\"") && google_logging_metric.metric["findings"].label_extractors == tomap({ pipeline = "EXTRACT(jsonPayload.pipeline)", finding = "EXTRACT(jsonPayload.finding)", severity = "EXTRACT(jsonPayload.finding_severity)" })
    error_message = "Findings are monitor's, by pipeline, kind and severity."
  }

  assert {
    condition = {
      for severity, policy in google_monitoring_alert_policy.findings : severity => [policy.severity, strcontains(policy.conditions[0].condition_threshold[0].filter, "user/perennial/findings\" AND resource.type = \"cloud_run_revision\" AND metric.labels.severity = \"${lower(severity)}\"")]
    } == { WARNING = ["WARNING", true], ERROR = ["ERROR", true] }
    error_message = "Findings that are warnings or errors are alerts of that severity, and informative ones are none."
  }

  assert {
    condition = alltrue([
      for function in google_cloudfunctions2_function.function : !contains(keys(function.service_config[0].environment_variables), "PERENNIAL_ALERT_WEBHOOK")
    ])
    error_message = "No webhook is told unless one is declared."
  }

  assert {
    condition     = strcontains(google_logging_metric.metric["failed_lookups"].filter, "service_name=\"perennial-predict\"") && google_logging_metric.metric["failed_lookups"].label_extractors == tomap({ pipeline = "EXTRACT(jsonPayload.pipeline)", error = "EXTRACT(jsonPayload.failed_lookup)" })
    error_message = "Failed look-ups are predict's, by pipeline and error."
  }

  assert {
    condition     = strcontains(google_monitoring_alert_policy.failed_lookups.conditions[0].condition_threshold[0].filter, "user/perennial/failed_lookups\"") && google_monitoring_alert_policy.failed_lookups.conditions[0].condition_threshold[0].threshold_value == 10
    error_message = "More than ten failed look-ups are an alert."
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
    alert_webhook       = "https://chat.example/hooks/secret"
  }

  assert {
    condition = [
      for name, function in google_cloudfunctions2_function.function : name if contains(keys(nonsensitive(function.service_config[0].environment_variables)), "PERENNIAL_ALERT_WEBHOOK")
    ] == ["monitor"]
    error_message = "monitor alone knows the webhook."
  }

  assert {
    condition = alltrue([
      for policy in [
        google_monitoring_alert_policy.quarantine_rate,
        google_monitoring_alert_policy.failed_runs,
        google_monitoring_alert_policy.dead_letters,
        google_monitoring_alert_policy.server_errors,
        google_monitoring_alert_policy.stale_champion,
        google_monitoring_alert_policy.failed_lookups,
        google_monitoring_alert_policy.findings["WARNING"],
        google_monitoring_alert_policy.findings["ERROR"],
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
