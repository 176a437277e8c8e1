# The operators' web page, where `console` asks for it: a Cloud Run service built from its bundle,
# behind the Identity-Aware Proxy. It is no function, because browsers cannot send Cloud Run
# identity tokens, and functions cannot have the proxy.

locals {
  page  = local.table.services.console
  pages = toset(var.console ? ["console"] : [])

  # Who may see it; of these, operators act. The proxy tells a person's address and no groups, so
  # that only members written as user: or serviceAccount: can be told from those who read.
  console_seers     = var.console ? setunion(var.operators, var.console_viewers) : toset([])
  console_operators = [for member in var.operators : split(":", member)[1] if can(regex("^(user|serviceAccount):", member))]

  console_environment = merge(
    local.settings,
    {
      THREADS                     = tostring(local.page.concurrency)
      WORKERS                     = "1"
      PERENNIAL_PREDICT_URL       = google_cloudfunctions2_function.function["predict"].service_config[0].uri
      PERENNIAL_CONSOLE_AUDIENCE  = "/projects/${data.google_project.this.number}/locations/${var.region}/services/${var.deployment}-console"
      PERENNIAL_CONSOLE_OPERATORS = join(",", sort(local.console_operators))
    },
  )

  console_grants = { for key, row in {
    "console starts runs"         = { on = "job", of = "train", role = "roles/run.jobsExecutorWithOverrides", who = "console" }
    "console asks after runs"     = { on = "job", of = "train", role = "roles/run.viewer", who = "console" }
    "console calls predict"       = { on = "service", of = "predict", role = "roles/run.invoker", who = "console" }
    "the proxy calls the console" = { on = "service", of = "console", role = "roles/run.invoker", who = "iap_agent" }
  } : key => row if var.console }
}

resource "google_cloud_run_v2_service" "console" {
  for_each = local.pages

  project             = var.project
  location            = var.region
  name                = local.name.console
  description         = local.purpose.console
  labels              = local.labels
  ingress             = "INGRESS_TRAFFIC_ALL" # people come from anywhere, and the proxy asks each who they are
  iap_enabled         = true
  deletion_protection = var.deletion_protection

  build_config {
    source_location          = "gs://${google_storage_bucket.bucket["sources"].name}/${google_storage_bucket_object.source["console"].name}"
    function_target          = "console"
    image_uri                = "${var.region}-docker.pkg.dev/${var.project}/${google_artifact_registry_repository.images.repository_id}/console"
    base_image               = var.runtime
    enable_automatic_updates = true # security patches of the runtime do not wait for a deployment
    service_account          = "projects/${var.project}/serviceAccounts/${local.email.build}"
  }

  scaling {
    min_instance_count = local.page.min_instances
  }

  template {
    service_account                  = local.email.console
    timeout                          = "${local.page.timeout_seconds}s"
    max_instance_request_concurrency = local.page.concurrency
    labels                           = local.labels

    scaling {
      max_instance_count = local.page.max_instances
    }

    containers {
      image          = "${var.region}-docker.pkg.dev/${var.project}/${google_artifact_registry_repository.images.repository_id}/console"
      base_image_uri = var.runtime

      resources {
        limits = {
          cpu    = tostring(local.page.cpu)
          memory = "${local.page.memory_mib}Mi"
        }
        cpu_idle = true # nothing to pay between requests
      }

      dynamic "env" {
        for_each = local.console_environment
        content {
          name  = env.key
          value = env.value
        }
      }
    }
  }

  lifecycle {
    precondition {
      condition     = length(local.console_seers) > 0
      error_message = "console is on and nobody may see it: name operators or console_viewers."
    }
  }

  depends_on = [
    google_project_service.api,
    google_service_account.account,
    terraform_data.grants_settled,
  ]
}

resource "google_iap_web_cloud_run_service_iam_member" "seer" {
  for_each = local.console_seers

  project                = var.project
  location               = var.region
  cloud_run_service_name = google_cloud_run_v2_service.console["console"].name
  role                   = "roles/iap.httpsResourceAccessor"
  member                 = each.value
}
