# Container images: the training job's, and those that Cloud Functions builds.

resource "google_artifact_registry_repository" "images" {
  project       = var.project
  location      = var.region
  repository_id = var.deployment
  description   = "Images of the ${var.deployment} deployment"
  format        = "DOCKER"
  labels        = local.labels

  # Cloud Run keeps its own copy of what is deployed; these are for going back by hand.
  cleanup_policies {
    id     = "keep-recent"
    action = "KEEP"
    most_recent_versions {
      keep_count = 10
    }
  }
  cleanup_policies {
    id     = "delete-old"
    action = "DELETE"
    condition {
      older_than = "2592000s" # 30 days
    }
  }

  depends_on = [google_project_service.api]
}
