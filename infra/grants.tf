# Who may do what: one table of every grant. A row's key says it in words, and `who` names an entry
# of local.members or is an IAM member itself (people).
#
# What parts may do with objects is written in deployment.yaml, for the local cloud holds them to it.
#
# Immutability is held here. Creating and reading is all that anybody may do with objects: replacing
# one takes the right to delete it, which nobody has but for a pipeline's head, the only object with
# authority that is ever replaced. That right comes as the predefined Storage Object User under a
# condition on the name. A custom role with nothing but storage.objects.delete would be a little
# narrower, on objects that its holder may create and read anyway; but its id stays taken for weeks
# after a deployment is destroyed, so that the next one could not be made.

locals {
  members = merge(
    { for part, email in local.email : part => "serviceAccount:${email}" },
    {
      everybody      = "allUsers"
      storage_agent  = data.google_storage_project_service_account.this.member
      eventarc_agent = "serviceAccount:service-${data.google_project.this.number}@gcp-sa-eventarc.iam.gserviceaccount.com"
      pubsub_agent   = "serviceAccount:service-${data.google_project.this.number}@gcp-sa-pubsub.iam.gserviceaccount.com"
      iap_agent      = "serviceAccount:service-${data.google_project.this.number}@gcp-sa-iap.iam.gserviceaccount.com"
      log_writer     = google_logging_project_sink.predictions.writer_identity
    },
  )

  viewer  = "roles/storage.objectViewer"
  creator = "roles/storage.objectCreator"
  # Names of objects and facts of the bucket, no contents. Without the right to list, a missing
  # object is answered with 403 instead of 404.
  lister = "roles/storage.legacyBucketReader"

  object = { for role, name in local.bucket_name : role => "projects/_/buckets/${name}/objects/" }
  any_head = {
    title      = "heads of pipelines only"
    expression = "resource.name.endsWith(\"/registry/head.json\")"
  }
  # Cloud Functions keeps what it builds from in a bucket that its first build makes.
  build_copies = {
    title      = "what Cloud Functions builds from"
    expression = "resource.name.startsWith(\"projects/_/buckets/gcf-v2-sources-${data.google_project.this.number}-${var.region}\")"
  }

  # What the parts' words in the table mean as roles.
  verbs = {
    "reads"          = { role = local.viewer, only = null }
    "adds to"        = { role = local.creator, only = null }
    "replaces heads" = { role = "roles/storage.objectUser", only = local.any_head }
  }
  access_grants = merge(flatten([
    for part, buckets in local.table.access : [
      for bucket, verbs in buckets : {
        for verb in verbs : join(" ", concat([part, verb], verb == "replaces heads" ? [] : [bucket])) => {
          on = "bucket", of = bucket, role = local.verbs[verb].role, who = part, only = local.verbs[verb].only
        }
      }
    ] if part != "console" || var.console
  ])...)

  part_grants = merge(local.access_grants, {
    "ingest starts runs"      = { on = "job", of = "train", role = "roles/run.jobsExecutorWithOverrides", who = "ingest" }
    "ingest asks after runs"  = { on = "job", of = "train", role = "roles/run.viewer", who = "ingest" }
    "monitor starts runs"     = { on = "job", of = "train", role = "roles/run.jobsExecutorWithOverrides", who = "monitor" }
    "monitor asks after runs" = { on = "job", of = "train", role = "roles/run.viewer", who = "monitor" }

    "train asks after runs" = { on = "job", of = "train", role = "roles/run.viewer", who = "train" }

    "trigger calls ingest"    = { on = "service", of = "ingest", role = "roles/run.invoker", who = "trigger" }
    "trigger receives events" = { on = "project", role = "roles/eventarc.eventReceiver", who = "trigger" }
    "scheduler calls monitor" = { on = "service", of = "monitor", role = "roles/run.invoker", who = "scheduler" }
    "caller calls predict"    = { on = "service", of = "predict", role = "roles/run.invoker", who = "caller" }

    "build reads sources"    = { on = "bucket", of = "sources", role = local.viewer, who = "build" }
    "build reads copies"     = { on = "project", role = local.viewer, who = "build", only = local.build_copies }
    "build pushes images"    = { on = "repository", role = "roles/artifactregistry.writer", who = "build" }
    "build writes its log"   = { on = "project", role = "roles/logging.logWriter", who = "build" }
    "log sink adds to store" = { on = "bucket", of = "predictions", role = local.creator, who = "log_writer" }
  })

  # Accounts of Google's own, by which its services act in this project.
  agent_grants = {
    "storage publishes events"     = { on = "project", role = "roles/pubsub.publisher", who = "storage_agent" }
    "eventarc is itself"           = { on = "project", role = "roles/eventarc.serviceAgent", who = "eventarc_agent" }
    "pubsub writes dead letters"   = { on = "topic", role = "roles/pubsub.publisher", who = "pubsub_agent" }
    "pubsub takes what is refused" = { on = "subscription", role = "roles/pubsub.subscriber", who = "pubsub_agent" }
  }

  grants = {
    for key, row in merge(local.part_grants, local.console_grants, local.agent_grants, local.people_grants) : key => {
      on   = row.on
      of   = try(row.of, "")
      role = row.role
      who  = row.who
      only = try(row.only, null)
    }
  }

  # Whatever changes here has to be known everywhere before anything builds or fires.
  settling = sha256(jsonencode([for key, row in merge(local.part_grants, local.console_grants, local.agent_grants) : [key, row.role]]))
}

resource "google_storage_bucket_iam_member" "grant" {
  for_each = { for key, row in local.grants : key => row if row.on == "bucket" }

  bucket = google_storage_bucket.bucket[each.value.of].name
  role   = each.value.role
  member = lookup(local.members, each.value.who, each.value.who)

  dynamic "condition" {
    for_each = each.value.only == null ? [] : [each.value.only]
    content {
      title      = condition.value.title
      expression = condition.value.expression
    }
  }

  depends_on = [google_service_account.account]
}

resource "google_project_iam_member" "grant" {
  for_each = { for key, row in local.grants : key => row if row.on == "project" }

  project = var.project
  role    = each.value.role
  member  = lookup(local.members, each.value.who, each.value.who)

  dynamic "condition" {
    for_each = each.value.only == null ? [] : [each.value.only]
    content {
      title      = condition.value.title
      expression = condition.value.expression
    }
  }

  # The agents of Eventarc and Pub/Sub come into being some time after their APIs are on.
  depends_on = [google_service_account.account, terraform_data.apis_settled]
}

resource "google_artifact_registry_repository_iam_member" "grant" {
  for_each = { for key, row in local.grants : key => row if row.on == "repository" }

  project    = var.project
  location   = google_artifact_registry_repository.images.location
  repository = google_artifact_registry_repository.images.name
  role       = each.value.role
  member     = lookup(local.members, each.value.who, each.value.who)

  depends_on = [google_service_account.account]
}

resource "google_cloud_run_v2_service_iam_member" "grant" {
  for_each = { for key, row in local.grants : key => row if row.on == "service" }

  project  = var.project
  location = var.region
  # A function's service has its name.
  name   = each.value.of == "console" ? google_cloud_run_v2_service.console["console"].name : google_cloudfunctions2_function.function[each.value.of].name
  role   = each.value.role
  member = lookup(local.members, each.value.who, each.value.who)

  depends_on = [google_service_account.account]
}

resource "google_cloud_run_v2_job_iam_member" "grant" {
  for_each = { for key, row in local.grants : key => row if row.on == "job" }

  project  = var.project
  location = var.region
  name     = google_cloud_run_v2_job.train.name
  role     = each.value.role
  member   = lookup(local.members, each.value.who, each.value.who)

  depends_on = [google_service_account.account]
}

resource "google_service_account_iam_member" "grant" {
  for_each = { for key, row in local.grants : key => row if row.on == "account" }

  service_account_id = "projects/${var.project}/serviceAccounts/${local.email[each.value.of]}"
  role               = each.value.role
  member             = lookup(local.members, each.value.who, each.value.who)

  depends_on = [google_service_account.account]
}

resource "google_pubsub_topic_iam_member" "grant" {
  for_each = { for key, row in local.grants : key => row if row.on == "topic" }

  project = var.project
  topic   = google_pubsub_topic.dead_letters.name
  role    = each.value.role
  member  = lookup(local.members, each.value.who, each.value.who)

  depends_on = [terraform_data.apis_settled]
}

resource "google_pubsub_subscription_iam_member" "grant" {
  for_each = { for key, row in local.grants : key => row if row.on == "subscription" }

  project      = var.project
  subscription = local.subscription
  role         = each.value.role
  member       = lookup(local.members, each.value.who, each.value.who)
}
