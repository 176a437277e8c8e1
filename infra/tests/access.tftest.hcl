# Who may do what: exactly the written lists, and nobody else.

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
  command = apply

  assert {
    condition = toset([
      for g in values(google_storage_bucket_iam_member.grant) : "${g.member}: ${g.role} on ${g.bucket}${length(g.condition) == 0 ? "" : " if ${g.condition[0].expression}"}"
      ]) == toset([
      "serviceAccount:perennial-ingest@flower-shop.iam.gserviceaccount.com: roles/storage.objectViewer on flower-shop-perennial-landing",
      "serviceAccount:perennial-ingest@flower-shop.iam.gserviceaccount.com: roles/storage.objectViewer on flower-shop-perennial-quarantine",
      "serviceAccount:perennial-ingest@flower-shop.iam.gserviceaccount.com: roles/storage.objectCreator on flower-shop-perennial-quarantine",
      "serviceAccount:perennial-ingest@flower-shop.iam.gserviceaccount.com: roles/storage.objectViewer on flower-shop-perennial-data",
      "serviceAccount:perennial-ingest@flower-shop.iam.gserviceaccount.com: roles/storage.objectCreator on flower-shop-perennial-data",
      "serviceAccount:perennial-ingest@flower-shop.iam.gserviceaccount.com: roles/storage.objectViewer on flower-shop-perennial-models",
      "serviceAccount:perennial-monitor@flower-shop.iam.gserviceaccount.com: roles/storage.objectViewer on flower-shop-perennial-landing",
      "serviceAccount:perennial-monitor@flower-shop.iam.gserviceaccount.com: roles/storage.objectViewer on flower-shop-perennial-quarantine",
      "serviceAccount:perennial-monitor@flower-shop.iam.gserviceaccount.com: roles/storage.objectCreator on flower-shop-perennial-quarantine",
      "serviceAccount:perennial-monitor@flower-shop.iam.gserviceaccount.com: roles/storage.objectViewer on flower-shop-perennial-data",
      "serviceAccount:perennial-monitor@flower-shop.iam.gserviceaccount.com: roles/storage.objectCreator on flower-shop-perennial-data",
      "serviceAccount:perennial-monitor@flower-shop.iam.gserviceaccount.com: roles/storage.objectViewer on flower-shop-perennial-models",
      "serviceAccount:perennial-monitor@flower-shop.iam.gserviceaccount.com: roles/storage.objectViewer on flower-shop-perennial-predictions",
      "serviceAccount:perennial-train@flower-shop.iam.gserviceaccount.com: roles/storage.objectViewer on flower-shop-perennial-data",
      "serviceAccount:perennial-train@flower-shop.iam.gserviceaccount.com: roles/storage.objectCreator on flower-shop-perennial-data",
      "serviceAccount:perennial-train@flower-shop.iam.gserviceaccount.com: roles/storage.objectViewer on flower-shop-perennial-models",
      "serviceAccount:perennial-train@flower-shop.iam.gserviceaccount.com: roles/storage.objectCreator on flower-shop-perennial-models",
      "serviceAccount:perennial-train@flower-shop.iam.gserviceaccount.com: roles/storage.objectUser on flower-shop-perennial-models if resource.name.endsWith(\"/registry/head.json\")",
      "serviceAccount:perennial-predict@flower-shop.iam.gserviceaccount.com: roles/storage.objectViewer on flower-shop-perennial-models",
      "serviceAccount:perennial-build@flower-shop.iam.gserviceaccount.com: roles/storage.objectViewer on flower-shop-perennial-sources",
      "serviceAccount:service-123456789012@gcp-sa-logging.iam.gserviceaccount.com: roles/storage.objectCreator on flower-shop-perennial-predictions",
    ])
    error_message = "Grants on buckets differ from the written list. Found: ${join("; ", keys(google_storage_bucket_iam_member.grant))}."
  }

  assert {
    condition = toset([
      for g in values(google_project_iam_member.grant) : "${g.member}: ${g.role}${length(g.condition) == 0 ? "" : " if ${g.condition[0].expression}"}"
      ]) == toset([
      "serviceAccount:perennial-trigger@flower-shop.iam.gserviceaccount.com: roles/eventarc.eventReceiver",
      "serviceAccount:perennial-build@flower-shop.iam.gserviceaccount.com: roles/storage.objectViewer if resource.name.startsWith(\"projects/_/buckets/gcf-v2-sources-123456789012-europe-west1\")",
      "serviceAccount:perennial-build@flower-shop.iam.gserviceaccount.com: roles/logging.logWriter",
      "serviceAccount:service-123456789012@gs-project-accounts.iam.gserviceaccount.com: roles/pubsub.publisher",
      "serviceAccount:service-123456789012@gcp-sa-eventarc.iam.gserviceaccount.com: roles/eventarc.serviceAgent",
    ])
    error_message = "Grants on the project differ from the written list. Found: ${join("; ", keys(google_project_iam_member.grant))}."
  }

  assert {
    condition = toset([
      for g in values(google_cloud_run_v2_service_iam_member.grant) : "${g.member}: ${g.role} on ${g.name}"
      ]) == toset([
      "serviceAccount:perennial-trigger@flower-shop.iam.gserviceaccount.com: roles/run.invoker on perennial-ingest",
      "serviceAccount:perennial-scheduler@flower-shop.iam.gserviceaccount.com: roles/run.invoker on perennial-monitor",
      "serviceAccount:perennial-caller@flower-shop.iam.gserviceaccount.com: roles/run.invoker on perennial-predict",
    ])
    error_message = "Grants on services differ from the written list. Found: ${join("; ", keys(google_cloud_run_v2_service_iam_member.grant))}."
  }

  assert {
    condition = toset([
      for g in values(google_cloud_run_v2_job_iam_member.grant) : "${g.member}: ${g.role} on ${g.name}"
      ]) == toset([
      "serviceAccount:perennial-ingest@flower-shop.iam.gserviceaccount.com: roles/run.jobsExecutorWithOverrides on perennial-train",
      "serviceAccount:perennial-ingest@flower-shop.iam.gserviceaccount.com: roles/run.viewer on perennial-train",
      "serviceAccount:perennial-monitor@flower-shop.iam.gserviceaccount.com: roles/run.jobsExecutorWithOverrides on perennial-train",
      "serviceAccount:perennial-monitor@flower-shop.iam.gserviceaccount.com: roles/run.viewer on perennial-train",
      "serviceAccount:perennial-train@flower-shop.iam.gserviceaccount.com: roles/run.viewer on perennial-train",
    ])
    error_message = "Grants on the job differ from the written list. Found: ${join("; ", keys(google_cloud_run_v2_job_iam_member.grant))}."
  }

  assert {
    condition = toset([
      for g in values(google_artifact_registry_repository_iam_member.grant) : "${g.member}: ${g.role} on ${g.repository}"
      ]) == toset([
      "serviceAccount:perennial-build@flower-shop.iam.gserviceaccount.com: roles/artifactregistry.writer on perennial",
    ])
    error_message = "Grants on the repository differ from the written list. Found: ${join("; ", keys(google_artifact_registry_repository_iam_member.grant))}."
  }

  assert {
    condition = toset([
      for g in values(google_pubsub_topic_iam_member.grant) : "${g.member}: ${g.role} on ${g.topic}"
      ]) == toset([
      "serviceAccount:service-123456789012@gcp-sa-pubsub.iam.gserviceaccount.com: roles/pubsub.publisher on perennial-dead-letters",
    ])
    error_message = "Grants on the topic differ from the written list. Found: ${join("; ", keys(google_pubsub_topic_iam_member.grant))}."
  }

  assert {
    condition = toset([
      for g in values(google_pubsub_subscription_iam_member.grant) : "${g.member}: ${g.role}"
      ]) == toset([
      "serviceAccount:service-123456789012@gcp-sa-pubsub.iam.gserviceaccount.com: roles/pubsub.subscriber",
    ])
    error_message = "Grants on the trigger's subscription differ from the written list. Found: ${join("; ", keys(google_pubsub_subscription_iam_member.grant))}."
  }

  assert {
    condition = toset([
      for g in values(google_service_account_iam_member.grant) : "${g.member}: ${g.role}"
      ]) == toset([
    ])
    error_message = "Grants on accounts differ from the written list. Found: ${join("; ", keys(google_service_account_iam_member.grant))}."
  }

  assert {
    condition     = !strcontains(jsonencode(local.grants), "allUsers") && !contains([for g in values(google_cloud_run_v2_service_iam_member.grant) : g.member], "allUsers")
    error_message = "Nobody without an account may call anything, unless it was asked for."
  }

  assert {
    condition = toset([
      for g in values(google_storage_bucket_iam_member.grant) : g.role if g.bucket == "flower-shop-perennial-landing"
    ]) == toset(["roles/storage.objectViewer"])
    error_message = "Landing is written by nobody but users."
  }

  assert {
    condition = { for part, account in google_service_account.account : part => account.account_id } == {
      ingest    = "perennial-ingest"
      predict   = "perennial-predict"
      monitor   = "perennial-monitor"
      train     = "perennial-train"
      trigger   = "perennial-trigger"
      scheduler = "perennial-scheduler"
      build     = "perennial-build"
      caller    = "perennial-caller"
    }
    error_message = "Each part has an account of its own."
  }

  assert {
    condition = {
      for name, function in google_cloudfunctions2_function.function : name => function.service_config[0].service_account_email
      } == {
      for name in ["ingest", "predict", "monitor"] : name => "perennial-${name}@flower-shop.iam.gserviceaccount.com"
    }
    error_message = "Each function runs as its own account."
  }

  assert {
    condition     = google_cloud_run_v2_job.train.template[0].template[0].service_account == "perennial-train@flower-shop.iam.gserviceaccount.com"
    error_message = "The job runs as its own account."
  }

  assert {
    condition = alltrue([
      for function in google_cloudfunctions2_function.function :
      function.build_config[0].service_account == "projects/flower-shop/serviceAccounts/perennial-build@flower-shop.iam.gserviceaccount.com"
    ])
    error_message = "Functions are built by the build account, not by the project's default one."
  }
}
