# Buckets. All lie in the one region: a trigger fires only for a bucket in its own location.

locals {
  # The sources bucket needs no history: object names carry a hash of what they hold.
  versioned = merge(
    { for role, bucket in local.table.buckets : role => bucket.versioned },
    { sources = false, predictions = false },
  )

  # What the lifecycle deletes; a bucket that is not named keeps everything.
  lifecycle_rules = {
    landing     = { noncurrent_days = var.keep_days.landing_noncurrent }
    quarantine  = { days = var.keep_days.quarantine }
    predictions = { days = var.keep_days.predictions }
    models      = { noncurrent_days = var.keep_days.models_noncurrent }
  }

  # Looks of monitor, and the notes of who was told of them: the last one is written again in time.
  watch_suffixes = [".watch.json", ".told"]
}

resource "google_storage_bucket" "bucket" {
  for_each = local.bucket_name

  project  = var.project
  name     = each.value
  location = var.region
  labels   = local.labels

  uniform_bucket_level_access = true # conditions on grants need it
  public_access_prevention    = "enforced"
  force_destroy               = var.force_destroy

  versioning {
    enabled = local.versioned[each.key]
  }

  soft_delete_policy {
    retention_duration_seconds = var.soft_delete_days * 24 * 60 * 60
  }

  dynamic "lifecycle_rule" {
    for_each = { for role, rule in local.lifecycle_rules : role => rule.days if role == each.key && try(rule.days > 0, false) }
    content {
      action {
        type = "Delete"
      }
      condition {
        age = lifecycle_rule.value
      }
    }
  }

  dynamic "lifecycle_rule" {
    for_each = { for role, rule in local.lifecycle_rules : role => rule.noncurrent_days if role == each.key && try(rule.noncurrent_days > 0, false) }
    content {
      action {
        type = "Delete"
      }
      condition {
        with_state                 = "ARCHIVED" # never what is live
        days_since_noncurrent_time = lifecycle_rule.value
      }
    }
  }

  dynamic "lifecycle_rule" {
    for_each = [for days in [var.keep_days.watches] : days if each.key == "data" && days > 0]
    content {
      action {
        type = "Delete"
      }
      condition {
        age            = lifecycle_rule.value
        matches_suffix = local.watch_suffixes
      }
    }
  }

  depends_on = [google_project_service.base]
}
