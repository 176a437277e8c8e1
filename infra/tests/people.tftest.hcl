# What people may do, and the public, where the variables name them.

mock_provider "google" {
  source = "./tests/mocks"
}

variables {
  project        = "flower-shop"
  region         = "europe-west1"
  train_image    = "europe-west1-docker.pkg.dev/flower-shop/perennial/train@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
  settle_seconds = 0
}

run "public_when_asked" {
  command = apply
  variables {
    predict_public = true
  }

  assert {
    condition     = [for g in values(google_cloud_run_v2_service_iam_member.grant) : "${g.role} on ${g.name}" if g.member == "allUsers"] == ["roles/run.invoker on perennial-predict"]
    error_message = "predict_public opens predict, and nothing else."
  }

  assert {
    condition = !contains(concat(
      [for g in values(google_storage_bucket_iam_member.grant) : g.member],
      [for g in values(google_project_iam_member.grant) : g.member],
      [for g in values(google_cloud_run_v2_job_iam_member.grant) : g.member],
      [for g in values(google_service_account_iam_member.grant) : g.member],
    ), "allUsers")
    error_message = "predict_public opens nothing but a service."
  }
}

run "people" {
  command = apply
  variables {
    operators = ["group:operators@example.com"]
    droppers  = { sales = ["user:ada@example.com"], taps = ["user:ada@example.com"] }
    callers   = ["user:cora@example.com"]
  }

  assert {
    condition = toset([
      for g in values(google_storage_bucket_iam_member.grant) : "${g.role} on ${g.bucket} if ${try(g.condition[0].expression, "always")}" if g.member == "user:ada@example.com"
      ]) == toset([
      "roles/storage.objectCreator on flower-shop-perennial-landing if resource.name.startsWith(\"projects/_/buckets/flower-shop-perennial-landing/objects/sales/\")",
      "roles/storage.objectViewer on flower-shop-perennial-landing if resource.name.startsWith(\"projects/_/buckets/flower-shop-perennial-landing/objects/sales/\")",
      "roles/storage.objectCreator on flower-shop-perennial-landing if resource.name.startsWith(\"projects/_/buckets/flower-shop-perennial-landing/objects/taps/\")",
      "roles/storage.objectViewer on flower-shop-perennial-landing if resource.name.startsWith(\"projects/_/buckets/flower-shop-perennial-landing/objects/taps/\")",
      "roles/storage.objectViewer on flower-shop-perennial-data if resource.name.startsWith(\"projects/_/buckets/flower-shop-perennial-data/objects/sales/runs/\") || resource.name.startsWith(\"projects/_/buckets/flower-shop-perennial-data/objects/sales/monitoring/watches/\")",
      "roles/storage.objectViewer on flower-shop-perennial-data if resource.name.startsWith(\"projects/_/buckets/flower-shop-perennial-data/objects/taps/runs/\") || resource.name.startsWith(\"projects/_/buckets/flower-shop-perennial-data/objects/taps/monitoring/watches/\")",
      "roles/storage.legacyBucketReader on flower-shop-perennial-data if always",
      "roles/storage.legacyBucketReader on flower-shop-perennial-models if always",
      "roles/storage.objectViewer on flower-shop-perennial-models if resource.name == \"projects/_/buckets/flower-shop-perennial-models/objects/deployment.json\"",
      "roles/storage.objectViewer on flower-shop-perennial-models if ${join(" || ", [
        "resource.name == \"projects/_/buckets/flower-shop-perennial-models/objects/sales/registry/head.json\"",
        "resource.name.startsWith(\"projects/_/buckets/flower-shop-perennial-models/objects/sales/definitions/\")",
        "(resource.name.startsWith(\"projects/_/buckets/flower-shop-perennial-models/objects/sales/versions/\") && resource.name.endsWith(\"/manifest.json\"))",
      ])}",
      "roles/storage.objectViewer on flower-shop-perennial-models if ${join(" || ", [
        "resource.name == \"projects/_/buckets/flower-shop-perennial-models/objects/taps/registry/head.json\"",
        "resource.name.startsWith(\"projects/_/buckets/flower-shop-perennial-models/objects/taps/definitions/\")",
        "(resource.name.startsWith(\"projects/_/buckets/flower-shop-perennial-models/objects/taps/versions/\") && resource.name.endsWith(\"/manifest.json\"))",
      ])}",
    ])
    error_message = "Who drops files for a pipeline creates and reads under its prefix, sees what becomes of them, and no more."
  }

  assert {
    condition = toset(concat(
      [for g in values(google_storage_bucket_iam_member.grant) : "${g.role} on ${g.bucket} if ${try(g.condition[0].expression, "always")}" if g.member == "user:cora@example.com"],
      [for g in values(google_service_account_iam_member.grant) : "${g.role}" if g.member == "user:cora@example.com"],
      [for g in values(google_project_iam_member.grant) : "${g.role} on the project" if g.member == "user:cora@example.com"],
      [for g in values(google_cloud_run_v2_service_iam_member.grant) : "${g.role} on ${g.name}" if g.member == "user:cora@example.com"],
      )) == toset([
      "roles/iam.serviceAccountOpenIdTokenCreator",
      "roles/storage.objectViewer on flower-shop-perennial-models if resource.name == \"projects/_/buckets/flower-shop-perennial-models/objects/deployment.json\"",
    ])
    error_message = "Callers mint tokens of the caller account and find the deployment, and no more."
  }

  assert {
    condition = [
      for g in values(google_project_iam_member.grant) : "${g.member}: ${g.condition[0].expression}" if g.role == "roles/logging.viewAccessor"
    ] == ["group:operators@example.com: resource.name.startsWith(\"projects/flower-shop/locations/europe-west1/buckets/perennial-\")"]
    error_message = "Operators, and nobody else, read the deployment's own log bucket, which Logs Viewer does not show."
  }

  assert {
    condition = toset([
      for g in values(google_storage_bucket_iam_member.grant) : "${g.role} on ${trimprefix(g.bucket, "flower-shop-perennial-")}" if g.member == "group:operators@example.com" && !contains(["roles/storage.objectViewer", "roles/storage.legacyBucketReader"], g.role)
      ]) == toset([
      "roles/storage.objectCreator on landing",
      "roles/storage.objectCreator on quarantine",
      "roles/storage.objectCreator on data",
      "roles/storage.objectCreator on models",
      "roles/storage.objectUser on models",
    ])
    error_message = "Operators add objects, and replace heads only."
  }

  assert {
    condition = alltrue([
      for g in values(google_storage_bucket_iam_member.grant) : try(g.condition[0].expression, "") == "resource.name.endsWith(\"/registry/head.json\")" if g.role == "roles/storage.objectUser"
    ])
    error_message = "The right to replace is bound to heads."
  }

  assert {
    condition     = toset([for g in values(google_service_account_iam_member.grant) : g.role]) == toset(["roles/iam.serviceAccountOpenIdTokenCreator"])
    error_message = "Nobody may act as an account beyond minting identity tokens."
  }
}
