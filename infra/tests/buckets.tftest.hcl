# Buckets: where they lie, what they keep and for how long.

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
    condition = { for role, bucket in google_storage_bucket.bucket : role => bucket.name } == {
      for role in ["landing", "quarantine", "data", "models", "sources", "predictions"] : role => "flower-shop-perennial-${role}"
    }
    error_message = "The buckets are not those that are documented."
  }

  assert {
    condition     = alltrue([for bucket in google_storage_bucket.bucket : bucket.location == "europe-west1"])
    error_message = "A bucket lies outside the region."
  }

  assert {
    condition     = alltrue([for bucket in google_storage_bucket.bucket : bucket.uniform_bucket_level_access && bucket.public_access_prevention == "enforced"])
    error_message = "Access is by IAM alone, and never public."
  }

  assert {
    condition = {
      for role, bucket in google_storage_bucket.bucket : role => bucket.versioning[0].enabled
      } == {
      landing     = true
      quarantine  = false
      data        = false
      models      = true
      sources     = false
      predictions = false
    }
    error_message = "History is kept where it matters, and nowhere else."
  }

  assert {
    condition     = alltrue([for bucket in google_storage_bucket.bucket : bucket.soft_delete_policy[0].retention_duration_seconds == 7 * 24 * 60 * 60])
    error_message = "Soft delete is stated: seven days."
  }

  assert {
    condition = {
      for role, bucket in google_storage_bucket.bucket : role => [
        for rule in bucket.lifecycle_rule : try("${one(rule.action).type} ${one(rule.condition).age} days", "?")
      ] if contains(["quarantine", "predictions", "data", "sources"], role)
      } == {
      quarantine  = ["Delete 365 days"]
      predictions = ["Delete 90 days"]
      data        = ["Delete 180 days"]
      sources     = []
    }
    error_message = "The lifecycle deletes something else than documented."
  }

  assert {
    condition     = one(one(google_storage_bucket.bucket["data"].lifecycle_rule).condition).matches_suffix == tolist([".watch.json", ".told"])
    error_message = "Of data only the looks of monitor end, and what was told of them."
  }

  assert {
    condition     = length(google_storage_bucket.bucket["landing"].lifecycle_rule) == 0
    error_message = "Originals outlive every version that learned from them: by default nothing ends them."
  }

  assert {
    condition = [
      for rule in google_storage_bucket.bucket["models"].lifecycle_rule : [one(rule.condition).with_state, one(rule.condition).days_since_noncurrent_time]
    ] == [["ARCHIVED", 90]]
    error_message = "Of the models bucket the lifecycle deletes overwritten heads, and never what is live."
  }

  assert {
    condition     = alltrue([for bucket in google_storage_bucket.bucket : bucket.force_destroy == false])
    error_message = "Destroying buckets that hold something takes a deliberate variable."
  }

  assert {
    condition     = google_logging_project_sink.predictions.destination == "storage.googleapis.com/flower-shop-perennial-predictions"
    error_message = "Prediction logs go into their bucket."
  }
}

run "by_variable" {
  command = plan
  variables {
    force_destroy    = true
    soft_delete_days = 30
    keep_days        = { landing_noncurrent = 400, quarantine = 30, predictions = 0, watches = 0 }
  }

  assert {
    condition     = alltrue([for bucket in google_storage_bucket.bucket : bucket.force_destroy && bucket.soft_delete_policy[0].retention_duration_seconds == 2592000])
    error_message = "force_destroy and soft_delete_days are variables."
  }

  assert {
    condition = [
      for rule in google_storage_bucket.bucket["landing"].lifecycle_rule : [one(rule.condition).with_state, one(rule.condition).days_since_noncurrent_time]
    ] == [["ARCHIVED", 400]]
    error_message = "Only overwritten originals may be deleted."
  }

  assert {
    condition     = length(google_storage_bucket.bucket["predictions"].lifecycle_rule) + length(google_storage_bucket.bucket["data"].lifecycle_rule) == 0
    error_message = "0 is never."
  }
}
