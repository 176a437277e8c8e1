# Values that could only fail later, or do harm, are refused at once, each by its own variable.

mock_provider "google" {
  source = "./tests/mocks"
}

variables {
  project        = "flower-shop"
  region         = "europe-west1"
  train_image    = "europe-west1-docker.pkg.dev/flower-shop/perennial/train@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
  settle_seconds = 0
}

# Every variable with a rule; a run that expects failures fails if one of them does not.
run "refused" {
  command = plan
  variables {
    project                 = "flower-shop-"                                                   # ends with a hyphen
    region                  = "EU"                                                             # a multi-region
    deployment              = "perennial-for-flowers"                                          # too long for an account id
    runtime                 = "python310"                                                      # too old
    train_image             = "europe-west1-docker.pkg.dev/flower-shop/perennial/train:latest" # a tag can move
    model_packages          = { "../os" = "yes" }                                              # neither a name nor a digest
    min_instances           = { train = 1 }                                                    # the job is no function
    max_instances           = { console = 1 }                                                  # there is none
    settle_seconds          = 7200                                                             # two hours
    alert_emails            = ["ada"]                                                          # no address
    alert_webhook           = "http://chat.example/hooks"                                      # whoever listens reads it
    quarantine_rate_alert   = 20                                                               # a percentage, not a share
    quarantine_window_hours = 48                                                               # longer than Cloud Monitoring looks back
    stale_champion_days     = 0                                                                # stale at once
    error_rate_alert        = 5                                                                # a percentage, not a share
    operators               = ["allUsers"]                                                     # everybody
    droppers                = { "shop/../sales" = ["user:ada@example.com"] }                   # leaves its prefix
    callers                 = ["allUsers"]                                                     # that is predict_public
    console_viewers         = ["allAuthenticatedUsers"]                                        # everybody with an account
    soft_delete_days        = 3                                                                # shorter than there is
    keep_days               = { quarantine = -1 }                                              # before it came
    log_days                = 0                                                                # gone at once
  }
  expect_failures = [
    var.project,
    var.region,
    var.deployment,
    var.runtime,
    var.train_image,
    var.model_packages,
    var.min_instances,
    var.max_instances,
    var.settle_seconds,
    var.alert_emails,
    var.alert_webhook,
    var.quarantine_rate_alert,
    var.quarantine_window_hours,
    var.stale_champion_days,
    var.error_rate_alert,
    var.operators,
    var.droppers,
    var.callers,
    var.console_viewers,
    var.soft_delete_days,
    var.keep_days,
    var.log_days,
  ]
}

# What another rule, or the other half of one, is there for.
run "refused_too" {
  command = plan
  variables {
    project       = "Flower-Shop"                         # a capital
    region        = "europe-west1-b"                      # a zone
    deployment    = "flower_shop"                         # an underscore
    min_instances = { predict = 0.5 }                     # half an instance
    max_instances = { ingest = 0 }                        # would never run
    operators     = ["ada@example.com"]                   # whose kind?
    droppers      = { sales = ["allAuthenticatedUsers"] } # any account there is
    keep_days     = { watches = 20 }                      # the last look may be 30 days old
  }
  expect_failures = [
    var.project,
    var.region,
    var.deployment,
    var.min_instances,
    var.max_instances,
    var.operators,
    var.droppers,
    var.keep_days,
  ]
}

run "refused_for_their_number" {
  command = plan
  variables {
    droppers = { for number in range(19) : "pipeline-${number}" => ["user:ada@example.com"] } # 18 conditions fit
  }
  expect_failures = [
    var.droppers,
  ]
}

run "the_longest_names_that_fit_are_accepted" {
  command = plan
  variables {
    project    = "a-project-id-of-thirty-letters"
    deployment = "eighteen-letters-x"
  }
  assert {
    condition     = length(google_service_account.account["scheduler"].account_id) <= 30
    error_message = "An account id has at most 30 characters."
  }
  assert {
    condition     = alltrue([for bucket in google_storage_bucket.bucket : length(bucket.name) <= 63])
    error_message = "A bucket's name has at most 63 characters."
  }
}

run "job_without_an_image" {
  command = plan
  variables {
    train_image = ""
  }
  expect_failures = [google_cloud_run_v2_job.train]
}

run "more_instances_kept_than_allowed" {
  command = plan
  variables {
    min_instances = { predict = 3 }
    max_instances = { predict = 2 }
  }
  expect_failures = [google_cloudfunctions2_function.function["predict"]]
}

run "bundles_that_nobody_built" {
  command = plan
  variables {
    bundles = "./environments"
  }
  expect_failures = [google_storage_bucket_object.source]
}
