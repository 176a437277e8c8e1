# The training job. Its launchers name the pipeline in an override of its environment.

resource "google_cloud_run_v2_job" "train" {
  project             = var.project
  location            = var.region
  name                = local.name.train
  labels              = local.labels
  deletion_protection = var.deletion_protection

  template {
    task_count  = 1
    parallelism = 1
    labels      = local.labels

    template {
      service_account = local.email.train
      max_retries     = local.job.max_retries
      timeout         = "${local.job.timeout_seconds}s"

      containers {
        image = var.train_image

        resources {
          limits = {
            cpu    = tostring(local.job.cpu)
            memory = "${local.job.memory_mib}Mi"
          }
        }

        dynamic "env" {
          for_each = local.job_environment
          content {
            name  = env.key
            value = env.value
          }
        }
      }
    }
  }

  lifecycle {
    precondition {
      condition     = var.train_image != ""
      error_message = "The training image is missing: `make deploy` builds it and sets train_image."
    }
    precondition {
      condition     = local.table.claim_seconds > local.job.timeout_seconds * (local.job.max_retries + 1)
      error_message = "claim_seconds must exceed the job's timeout, retries included: a second run could start beside the first."
    }
  }

  depends_on = [
    google_project_service.api,
    google_service_account.account,
    terraform_data.grants_settled,
  ]
}
