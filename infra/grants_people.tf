# What people may do, as rows of the table in grants.tf. None of them may delete or overwrite a
# landing file either: a corrected file gets a name of its own.

locals {
  operator_grants = merge([
    for member in var.operators : {
      "operator ${member} lists landing"          = { on = "bucket", of = "landing", role = local.lister, who = member }
      "operator ${member} reads landing"          = { on = "bucket", of = "landing", role = local.viewer, who = member }
      "operator ${member} drops files"            = { on = "bucket", of = "landing", role = local.creator, who = member }
      "operator ${member} lists quarantine"       = { on = "bucket", of = "quarantine", role = local.lister, who = member }
      "operator ${member} reads quarantine"       = { on = "bucket", of = "quarantine", role = local.viewer, who = member }
      "operator ${member} adds to quarantine"     = { on = "bucket", of = "quarantine", role = local.creator, who = member }
      "operator ${member} lists data"             = { on = "bucket", of = "data", role = local.lister, who = member }
      "operator ${member} reads data"             = { on = "bucket", of = "data", role = local.viewer, who = member }
      "operator ${member} adds to data"           = { on = "bucket", of = "data", role = local.creator, who = member }
      "operator ${member} lists models"           = { on = "bucket", of = "models", role = local.lister, who = member }
      "operator ${member} reads models"           = { on = "bucket", of = "models", role = local.viewer, who = member }
      "operator ${member} adds to models"         = { on = "bucket", of = "models", role = local.creator, who = member }
      "operator ${member} replaces heads"         = { on = "bucket", of = "models", role = "roles/storage.objectUser", who = member, only = local.any_head }
      "operator ${member} reads predictions"      = { on = "bucket", of = "predictions", role = local.viewer, who = member }
      "operator ${member} lists predictions"      = { on = "bucket", of = "predictions", role = local.lister, who = member }
      "operator ${member} starts runs"            = { on = "job", of = "train", role = "roles/run.jobsExecutorWithOverrides", who = member }
      "operator ${member} mints caller's tokens"  = { on = "account", of = "caller", role = "roles/iam.serviceAccountOpenIdTokenCreator", who = member }
      "operator ${member} sees services and runs" = { on = "project", role = "roles/run.viewer", who = member }
      "operator ${member} sees functions"         = { on = "project", role = "roles/cloudfunctions.viewer", who = member }
      "operator ${member} sees the trigger"       = { on = "project", role = "roles/eventarc.viewer", who = member }
      "operator ${member} sees subscriptions"     = { on = "project", role = "roles/pubsub.viewer", who = member }
      "operator ${member} sees the schedule"      = { on = "project", role = "roles/cloudscheduler.viewer", who = member }
      "operator ${member} sees logs"              = { on = "project", role = "roles/logging.viewer", who = member }
      "operator ${member} sees metrics"           = { on = "project", role = "roles/monitoring.viewer", who = member }
      "operator ${member} sees who may what"      = { on = "project", role = "roles/iam.securityReviewer", who = member }
    }
  ]...)

  # Logs Viewer shows the project's own log buckets; reading another takes a right to its views.
  # The bucket's name ends in something random, known only once it is made.
  log_reader_grants = {
    for member in var.regional_logs ? var.operators : [] :
    "operator ${member} reads the log bucket" => { on = "project", role = "roles/logging.viewAccessor", who = member, only = local.log_bucket_only }
  }

  log_bucket_only = {
    title      = "logs of this deployment"
    expression = "resource.name.startsWith(\"projects/${var.project}/locations/${var.region}/buckets/${var.deployment}-\")"
  }

  # Dropping creates under the pipeline's own prefix. What `drop --wait` and `status` look at is
  # narrower than the prefix: in data the run records and what monitor found, in models the head, definitions and
  # manifests, so neither rows nor models.
  dropper_grants = merge(flatten([
    for pipeline, members in var.droppers : [
      for member in members : {
        "dropper ${member} drops files for ${pipeline}" = {
          on   = "bucket", of = "landing", role = local.creator, who = member,
          only = local.dropper_only[pipeline].drops
        }
        # A drop that broke off is sent again: what is there already has to be told apart from another
        # file of its name.
        "dropper ${member} reads files for ${pipeline}" = {
          on   = "bucket", of = "landing", role = local.viewer, who = member,
          only = local.dropper_only[pipeline].drops
        }
        "dropper ${member} reads runs and findings of ${pipeline}" = {
          on   = "bucket", of = "data", role = local.viewer, who = member,
          only = local.dropper_only[pipeline].runs
        }
        "dropper ${member} reads the state of ${pipeline}" = {
          on   = "bucket", of = "models", role = local.viewer, who = member,
          only = local.dropper_only[pipeline].state
        }
      }
    ]
  ])...)

  dropper_only = {
    for pipeline in keys(var.droppers) : pipeline => {
      drops = {
        title      = "${pipeline}: its files"
        expression = "resource.name.startsWith(\"${local.object.landing}${pipeline}/\")"
      }
      runs = {
        title = "${pipeline}: its runs and findings"
        expression = join(" || ", [
          "resource.name.startsWith(\"${local.object.data}${pipeline}/runs/\")",
          "resource.name.startsWith(\"${local.object.data}${pipeline}/monitoring/watches/\")",
        ])
      }
      state = {
        title = "${pipeline}: its state"
        expression = join(" || ", [
          "resource.name == \"${local.object.models}${pipeline}/registry/head.json\"",
          "resource.name.startsWith(\"${local.object.models}${pipeline}/definitions/\")",
          "(resource.name.startsWith(\"${local.object.models}${pipeline}/versions/\") && resource.name.endsWith(\"/manifest.json\"))",
        ])
      }
    }
  }

  # Somebody may be named twice, but a grant must not be: taking one away would take both.
  droppers_only = setsubtract(flatten([for members in values(var.droppers) : tolist(members)]), var.operators)
  callers_only  = setsubtract(var.callers, var.operators)

  # Listing cannot be bound to a prefix by a condition: it shows names and few facts of all
  # pipelines' objects, and contents of none.
  every_dropper_grants = merge([
    for member in local.droppers_only : {
      "dropper ${member} lists data"            = { on = "bucket", of = "data", role = local.lister, who = member }
      "dropper ${member} lists models"          = { on = "bucket", of = "models", role = local.lister, who = member }
      "dropper ${member} sees whether runs end" = { on = "job", of = "train", role = "roles/run.viewer", who = member }
    }
  ]...)

  caller_grants = {
    for member in local.callers_only :
    "caller ${member} mints caller's tokens" => { on = "account", of = "caller", role = "roles/iam.serviceAccountOpenIdTokenCreator", who = member }
  }

  finder_grants = {
    for member in setunion(local.droppers_only, local.callers_only) :
    "${member} finds the deployment" => { on = "bucket", of = "models", role = local.viewer, who = member, only = local.descriptor_only }
  }

  descriptor_only = {
    title      = "what is deployed"
    expression = "resource.name == \"${local.object.models}${local.descriptor_name}\""
  }

  public_grants = {
    for who in var.predict_public ? ["everybody"] : [] :
    "${who} calls predict" => { on = "service", of = "predict", role = "roles/run.invoker", who = who }
  }

  people_grants = merge(
    local.operator_grants,
    local.log_reader_grants,
    local.dropper_grants,
    local.every_dropper_grants,
    local.caller_grants,
    local.finder_grants,
    local.public_grants,
  )
}
