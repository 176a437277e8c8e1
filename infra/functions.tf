# ingest, predict and monitor: they differ in what deployment.yaml says and in who reaches them.
# The console is none of them: see console.tf.

locals {
  # Eventarc and Scheduler count as internal traffic where, as here, they call the run.app address
  # from the same project. predict's callers come from anywhere; IAM asks each for a token.
  ingress = {
    ingest  = "ALLOW_INTERNAL_ONLY"
    monitor = "ALLOW_INTERNAL_ONLY"
    predict = "ALLOW_ALL"
  }

  instances = {
    for name, function in local.functions : name => {
      min_instances = lookup(var.min_instances, name, function.min_instances)
      max_instances = lookup(var.max_instances, name, function.max_instances)
    }
  }
}

resource "google_cloudfunctions2_function" "function" {
  for_each = local.functions

  project     = var.project
  location    = var.region
  name        = local.name[each.key]
  description = local.purpose[each.key]
  labels      = local.labels

  build_config {
    runtime           = var.runtime
    entry_point       = each.key
    docker_repository = google_artifact_registry_repository.images.id
    # The default account for builds differs with a project's age and may do far more.
    service_account = "projects/${var.project}/serviceAccounts/${local.email.build}"

    source {
      storage_source {
        bucket = google_storage_bucket.bucket["sources"].name
        object = google_storage_bucket_object.source[each.key].name
      }
    }

    automatic_update_policy {} # security patches of the runtime do not wait for a deployment
  }

  service_config {
    service_account_email            = local.email[each.key]
    available_memory                 = "${each.value.memory_mib}Mi"
    available_cpu                    = tostring(each.value.cpu)
    max_instance_request_concurrency = each.value.concurrency
    timeout_seconds                  = each.value.timeout_seconds
    min_instance_count               = local.instances[each.key].min_instances
    max_instance_count               = local.instances[each.key].max_instances
    ingress_settings                 = local.ingress[each.key]
    all_traffic_on_latest_revision   = true
    environment_variables            = local.function_environment[each.key]
  }

  lifecycle {
    precondition {
      condition     = each.value.concurrency == 1 || each.value.cpu >= 1
      error_message = "${each.key}: concurrency above 1 needs a whole CPU; deployment.yaml says ${each.value.cpu}."
    }
    precondition {
      condition     = local.instances[each.key].min_instances <= local.instances[each.key].max_instances
      error_message = "${each.key}: min_instances must not exceed max_instances."
    }
  }

  depends_on = [
    google_project_service.api,
    google_service_account.account,
    terraform_data.grants_settled,
  ]
}
