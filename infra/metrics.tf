# Metrics from log lines of ingest, monitor, predict and the training job (shared/perennial/wiring/logs.py).

locals {
  judging = "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=(\"${local.name.ingest}\" OR \"${local.name.monitor}\")"
  ages    = "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=\"${local.name.monitor}\" AND jsonPayload.logger=\"perennial.monitor\""

  metrics = {
    # An event that is delivered twice is logged twice; the verdict is one.
    verdicts = {
      description = "Files judged, by pipeline and decision"
      filter      = "${local.judging} AND jsonPayload.logger=(\"perennial.ingest\" OR \"perennial.monitor\") AND jsonPayload.decision:*"
      labels      = { pipeline = "jsonPayload.pipeline", decision = "jsonPayload.decision" }
    }
    champion_age = {
      description = "Age of each pipeline's champion, in seconds, at each sweep"
      filter      = "${local.ages} AND jsonPayload.champion_age_seconds>=0"
      labels      = { pipeline = "jsonPayload.pipeline" }
      value       = "jsonPayload.champion_age_seconds"
    }
    # Counted by the filter: buckets of a distribution would round the age.
    stale_champions = {
      description = "Sweeps that saw a champion of ${var.stale_champion_days} days or more"
      filter      = "${local.ages} AND jsonPayload.champion_age_seconds>=${floor(var.stale_champion_days * 24 * 60 * 60)}"
      labels      = { pipeline = "jsonPayload.pipeline" }
    }
    # The version that served before goes on serving: nothing else tells that it is not the champion.
    failed_lookups = {
      description = "Times that predict could not follow the registry, by pipeline and error"
      filter      = local.ours.look_ups
      labels      = { pipeline = "jsonPayload.pipeline", error = "jsonPayload.failed_lookup" }
    }
    # One line when a finding opens, worsens or closes, and none while it lasts.
    findings = {
      description = "Findings that opened or got worse, by pipeline, kind and severity"
      filter      = "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=\"${local.name.monitor}\" AND jsonPayload.logger=\"perennial.monitor.findings\" AND jsonPayload.change=(\"opened\" OR \"worsened\")"
      labels      = { pipeline = "jsonPayload.pipeline", finding = "jsonPayload.finding", severity = "jsonPayload.finding_severity" }
    }
    # Files set aside as suspect, an earlier champion that would do better, a return to it.
    training_alerts = {
      description = "What training runs found that a person should know, by pipeline and kind"
      filter      = "${local.ours.job} AND jsonPayload.logger=\"perennial.train\" AND jsonPayload.alert:*"
      labels      = { pipeline = "jsonPayload.pipeline", alert = "jsonPayload.alert" }
    }
  }

  metric_type = { for name in keys(local.metrics) : name => "logging.googleapis.com/user/${var.deployment}/${name}" }
}

resource "google_logging_metric" "metric" {
  for_each = local.metrics

  project     = var.project
  name        = "${var.deployment}/${each.key}"
  description = each.value.description
  filter      = each.value.filter

  metric_descriptor {
    metric_kind  = "DELTA"
    value_type   = can(each.value.value) ? "DISTRIBUTION" : "INT64"
    unit         = can(each.value.value) ? "s" : "1"
    display_name = each.value.description

    dynamic "labels" {
      for_each = each.value.labels
      content {
        key        = labels.key
        value_type = "STRING"
      }
    }
  }

  label_extractors = { for label, field in each.value.labels : label => "EXTRACT(${field})" }
  value_extractor  = can(each.value.value) ? "EXTRACT(${each.value.value})" : null

  dynamic "bucket_options" {
    for_each = can(each.value.value) ? [each.value.value] : []
    content {
      exponential_buckets { # from a minute to some 20 years
        scale              = 60
        growth_factor      = 1.5
        num_finite_buckets = 40
      }
    }
  }

  depends_on = [google_project_service.api]
}
