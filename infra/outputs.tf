# What people and `make deploy` need next.

output "predict_url" {
  description = "Base URL of predict: GET / tells its pipelines, POST /v1/models/NAME:predict answers."
  value       = google_cloudfunctions2_function.function["predict"].service_config[0].uri
}

output "console_url" {
  description = "Address of the console; null unless it was asked for."
  value       = one([for page in google_cloud_run_v2_service.console : page.uri])
}

output "buckets" {
  description = "Names of the buckets, by role. Files are dropped into landing."
  value       = { for role, bucket in google_storage_bucket.bucket : role => bucket.name }
}

output "services" {
  description = "Names of the functions and their services."
  value       = { for name, function in google_cloudfunctions2_function.function : name => function.name }
}

output "train_job" {
  description = "Name of the training job."
  value       = google_cloud_run_v2_job.train.name
}

output "train_repository" {
  description = "Where the training image goes, without tag or digest."
  value       = "${var.region}-docker.pkg.dev/${var.project}/${google_artifact_registry_repository.images.repository_id}/train"
}

output "sources" {
  description = "Objects in the sources bucket that functions and the training image are built from."
  value       = { for part, object in google_storage_bucket_object.source : part => "gs://${object.bucket}/${object.name}" }
}

output "build_account" {
  description = "E-mail of the account that builds functions and the training image."
  value       = google_service_account.account["build"].email
}

output "caller_account" {
  description = "E-mail of the account that may call predict; callers mint its identity tokens."
  value       = google_service_account.account["caller"].email
}

output "subscription" {
  description = "Full name of the push subscription that Eventarc made; `make deploy` sets its deadline, pauses and dead letters."
  value       = local.subscription
}

output "dead_letter_topic" {
  description = "Full name of the topic for events that ingest refused until the last attempt."
  value       = local.dead_letter_topic
}

output "dead_letter_subscription" {
  description = "Full name of the subscription that keeps them."
  value       = "projects/${var.project}/subscriptions/${google_pubsub_subscription.dead_letters.name}"
}

output "scheduler_job" {
  description = "Name of the schedule that calls monitor."
  value       = google_cloud_scheduler_job.sweep.name
}

output "descriptor" {
  description = "What command lines read to find all this."
  value       = "gs://${google_storage_bucket_object.descriptor.bucket}/${google_storage_bucket_object.descriptor.name}"
}

output "dashboard" {
  description = "Address of the dashboard."
  value       = "https://console.cloud.google.com/monitoring/dashboards/builder/${element(split("/", google_monitoring_dashboard.deployment.id), -1)}?project=${var.project}"
}

output "log_bucket" {
  description = "The log bucket with the lines of functions, job and schedule: the scope to choose in Logs Explorer. null when they go to the project's own."
  value       = one(google_logging_project_bucket_config.operations[*].id)
}
