# The operators' page: there when asked for, behind the proxy, for those who are named.

mock_provider "google" {
  source = "./tests/mocks"
}

variables {
  project        = "flower-shop"
  region         = "europe-west1"
  train_image    = "europe-west1-docker.pkg.dev/flower-shop/perennial/train@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
  settle_seconds = 0
}

run "off" {
  command = apply

  assert {
    condition     = length(google_cloud_run_v2_service.console) == 0 && length(google_iap_web_cloud_run_service_iam_member.seer) == 0
    error_message = "No console unless it is asked for."
  }

  assert {
    condition     = !contains(keys(google_service_account.account), "console") && !strcontains(jsonencode(local.grants), "\"console\"")
    error_message = "Without a console nobody has its rights."
  }

  assert {
    condition     = output.console_url == null
    error_message = "There is no address."
  }
}

run "on" {
  command = apply

  variables {
    console         = true
    operators       = ["user:ada@example.com", "group:florists@example.com"]
    console_viewers = ["user:bob@example.com", "user:ada@example.com"]
  }

  assert {
    condition     = google_cloud_run_v2_service.console["console"].iap_enabled && google_cloud_run_v2_service.console["console"].template[0].service_account == "perennial-console@flower-shop.iam.gserviceaccount.com"
    error_message = "The console is behind the proxy, and runs as its own account."
  }

  assert {
    condition = { for env in google_cloud_run_v2_service.console["console"].template[0].containers[0].env : env.name => env.value if strcontains(env.name, "CONSOLE") } == {
      PERENNIAL_CONSOLE_AUDIENCE  = "/projects/123456789012/locations/europe-west1/services/perennial-console"
      PERENNIAL_CONSOLE_OPERATORS = "ada@example.com"
    }
    error_message = "The console is told whom the proxy speaks to, and whose address may act."
  }

  assert {
    condition     = toset([for seer in values(google_iap_web_cloud_run_service_iam_member.seer) : seer.member]) == toset(["user:ada@example.com", "user:bob@example.com", "group:florists@example.com"])
    error_message = "Operators and viewers see it, and nobody else."
  }

  assert {
    condition     = toset([for g in values(google_cloud_run_v2_service_iam_member.grant) : g.member if g.name == "perennial-console"]) == toset(["serviceAccount:service-123456789012@gcp-sa-iap.iam.gserviceaccount.com"])
    error_message = "Only the proxy calls the console."
  }

  assert {
    condition = toset([
      for g in values(google_storage_bucket_iam_member.grant) : "${g.role} on ${g.bucket}${length(g.condition) == 0 ? "" : " if ${g.condition[0].expression}"}" if g.member == "serviceAccount:perennial-console@flower-shop.iam.gserviceaccount.com"
      ]) == toset([
      "roles/storage.objectViewer on flower-shop-perennial-landing",
      "roles/storage.objectViewer on flower-shop-perennial-quarantine",
      "roles/storage.objectCreator on flower-shop-perennial-quarantine",
      "roles/storage.objectViewer on flower-shop-perennial-data",
      "roles/storage.objectCreator on flower-shop-perennial-data",
      "roles/storage.objectViewer on flower-shop-perennial-models",
      "roles/storage.objectCreator on flower-shop-perennial-models",
      "roles/storage.objectUser on flower-shop-perennial-models if resource.name.endsWith(\"/registry/head.json\")",
    ])
    error_message = "The console reads, adds, and replaces heads: it deletes nothing."
  }

  assert {
    condition = (
      google_cloud_run_v2_service.console["console"].build_config[0].function_target == "console" &&
      google_cloud_run_v2_service.console["console"].build_config[0].service_account == "projects/flower-shop/serviceAccounts/perennial-build@flower-shop.iam.gserviceaccount.com"
    )
    error_message = "The console is built from its bundle, by the account that builds."
  }

  assert {
    condition     = google_cloud_run_v2_service.console["console"].template[0].containers[0].resources[0].limits == tomap({ cpu = "1", memory = "1024Mi" })
    error_message = "The console has the size that deployment.yaml says."
  }
}

run "nobody" {
  command = plan

  variables {
    console = true
  }

  expect_failures = [google_cloud_run_v2_service.console["console"]]
}
