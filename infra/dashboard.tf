# One page that shows whether files are learned and predictions are answered.

locals {
  # A line is what one filter finds, aligned, and reduced by some labels.
  charts = [
    {
      title = "Files by decision"
      lines = [{ filter = "metric.type=\"${local.metric_type.verdicts}\"", aligner = "ALIGN_DELTA", reducer = "REDUCE_SUM", by = ["metric.label.decision"] }]
      kind  = "STACKED_BAR", period = "3600s", unit = "files an hour"
    },
    {
      title = "Quarantined share of files, by pipeline"
      lines = [{ filter = "metric.type=\"${local.metric_type.verdicts}\" metric.label.decision=\"quarantined\"", share_of = "metric.type=\"${local.metric_type.verdicts}\"", aligner = "ALIGN_DELTA", reducer = "REDUCE_SUM", by = ["metric.label.pipeline"] }]
      kind  = "LINE", period = "86400s", unit = "share in a day"
    },
    {
      title = "Training runs by result"
      lines = [{ filter = "metric.type=\"run.googleapis.com/job/completed_execution_count\" resource.type=\"cloud_run_job\" resource.label.job_name=\"${local.name.train}\"", aligner = "ALIGN_DELTA", reducer = "REDUCE_SUM", by = ["metric.label.result"] }]
      kind  = "STACKED_BAR", period = "3600s", unit = "runs an hour"
    },
    {
      title = "Age of champions"
      lines = [{ filter = "metric.type=\"${local.metric_type.champion_age}\" resource.type=\"cloud_run_revision\"", aligner = "ALIGN_DELTA", reducer = "REDUCE_MEAN", by = ["metric.label.pipeline"] }]
      kind  = "LINE", period = "3600s", unit = "seconds"
    },
    {
      title = "Latency of predict: p50, p95, p99"
      lines = [for percentile in ["50", "95", "99"] : { filter = "metric.type=\"run.googleapis.com/request_latencies\" ${local.predict_service}", aligner = "ALIGN_DELTA", reducer = "REDUCE_PERCENTILE_${percentile}", by = ["resource.label.service_name"], legend = "p${percentile}" }]
      kind  = "LINE", period = "60s", unit = "milliseconds"
    },
    {
      title = "Requests to predict, by class of answer"
      lines = [{ filter = "metric.type=\"run.googleapis.com/request_count\" ${local.predict_service}", aligner = "ALIGN_RATE", reducer = "REDUCE_SUM", by = ["metric.label.response_code_class"] }]
      kind  = "STACKED_AREA", period = "60s", unit = "requests a second"
    },
    {
      title = "Instances"
      lines = [{ filter = "metric.type=\"run.googleapis.com/container/instance_count\" ${local.our_services}", aligner = "ALIGN_MAX", reducer = "REDUCE_SUM", by = ["resource.label.service_name"] }]
      kind  = "STACKED_AREA", period = "60s", unit = "instances"
    },
    {
      title = "Dead letters that wait"
      lines = [{ filter = "metric.type=\"pubsub.googleapis.com/subscription/num_undelivered_messages\" resource.type=\"pubsub_subscription\" resource.label.subscription_id=\"${google_pubsub_subscription.dead_letters.name}\"", aligner = "ALIGN_MAX", reducer = "REDUCE_SUM", by = ["resource.label.subscription_id"] }]
      kind  = "LINE", period = "300s", unit = "messages"
    },
  ]

  predict_service = "resource.type=\"cloud_run_revision\" resource.label.service_name=\"${local.name.predict}\""
  our_services    = "resource.type=\"cloud_run_revision\" resource.label.service_name=one_of(${join(",", [for name in keys(local.functions) : "\"${local.name[name]}\""])})"

  # What a line of a chart is in the API's words: a series, or a series as a share of another.
  queries = [
    for chart in local.charts : [
      for line in chart.lines : merge(
        { for aggregation in [local.aggregation[chart.title][line.reducer]] : "timeSeriesFilter" => {
          filter = line.filter, aggregation = aggregation
        } if !can(line.share_of) },
        { for aggregation in [local.aggregation[chart.title][line.reducer]] : "timeSeriesFilterRatio" => {
          numerator   = { filter = line.filter, aggregation = aggregation }
          denominator = { filter = line.share_of, aggregation = aggregation }
        } if can(line.share_of) },
      )
    ]
  ]

  aggregation = {
    for chart in local.charts : chart.title => {
      for line in chart.lines : line.reducer => {
        alignmentPeriod    = chart.period
        perSeriesAligner   = line.aligner
        crossSeriesReducer = line.reducer
        groupByFields      = line.by
      }
    }
  }
}

resource "google_monitoring_dashboard" "deployment" {
  project = var.project

  dashboard_json = jsonencode({
    displayName = "Perennial: ${var.deployment}"
    mosaicLayout = {
      columns = 48
      tiles = [
        for index, chart in local.charts : merge(
          # The service leaves zeros out of its answer; a plan would show them as missing for ever.
          { for axis, place in { xPos = index % 2 * 24, yPos = floor(index / 2) * 16 } : axis => place if place > 0 },
          {
            width  = 24
            height = 16
            widget = {
              title = chart.title
              xyChart = {
                dataSets = [
                  for number, query in local.queries[index] : merge(
                    { plotType = chart.kind, targetAxis = "Y1", timeSeriesQuery = query },
                    { for legend in try([chart.lines[number].legend], []) : "legendTemplate" => legend },
                  )
                ]
                yAxis = { label = chart.unit, scale = "LINEAR" }
              }
            }
          },
        )
      ]
    }
  })

  depends_on = [terraform_data.metrics_settled]
}
