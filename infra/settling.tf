# The first apply races with Google Cloud: Google-managed accounts appear some time after their API
# is enabled, a new grant takes a minute or two until every service honours it, and a new metric
# takes as long until an alert may name it. There is nothing to poll in Terraform, so an apply that
# changed one of these waits; every other apply does not.

resource "terraform_data" "apis_settled" {
  triggers_replace = [sha256(jsonencode(local.apis))]

  provisioner "local-exec" {
    command = "sleep ${var.settle_seconds}"
  }

  depends_on = [google_project_service.api]
}

resource "terraform_data" "grants_settled" {
  triggers_replace = [local.settling]

  provisioner "local-exec" {
    command = "sleep ${var.settle_seconds}"
  }

  depends_on = [
    google_artifact_registry_repository_iam_member.grant,
    google_project_iam_member.grant,
    google_storage_bucket_iam_member.grant,
  ]
}

resource "terraform_data" "metrics_settled" {
  triggers_replace = [sha256(jsonencode(keys(local.metrics)))]

  provisioner "local-exec" {
    command = "sleep ${var.settle_seconds}"
  }

  depends_on = [google_logging_metric.metric]
}
