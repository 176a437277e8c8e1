variable "project" {
  description = "Google Cloud project id that everything is created in."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project))
    error_message = "The project must be a project id: 6 to 30 lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "region" {
  description = "The one region for everything that holds or handles data: buckets, functions, job, images, trigger, scheduler and log storage. Data residency follows it. It must offer Cloud Scheduler and Eventarc, as nearly every Cloud Run region does."
  type        = string

  validation {
    # A trigger fires only for a bucket in its own location, and functions have no multi-regions.
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]{1,2}$", var.region))
    error_message = "The region must be a single region such as europe-west1, not a zone or a multi-region."
  }
}

variable "deployment" {
  description = "Name of this deployment and the beginning of the names of all its parts; several may share a project."
  type        = string
  default     = "perennial"

  validation {
    # Account ids end at 30 characters and bucket names at 63: `-scheduler` and `-predictions` are added.
    condition     = can(regex("^[a-z][a-z0-9-]{1,16}[a-z0-9]$", var.deployment))
    error_message = "The deployment must have 3 to 18 lower-case letters, digits and hyphens, begin with a letter and not end with a hyphen."
  }
}

variable "runtime" {
  description = "Python of the functions. The training image and the local tests should use the same version."
  type        = string
  default     = "python311"

  validation {
    condition     = can(regex("^python31[1-9]$", var.runtime))
    error_message = "The runtime must be python311 or a later one, as Cloud Functions calls it."
  }
}

variable "bundles" {
  description = "Folder with the zips that `make bundles` builds; build/bundles in the checkout when null."
  type        = string
  default     = null
}

variable "train_image" {
  description = "Container image of the training job, pinned by digest. `make deploy` builds it and sets this; empty only while the first step of a deployment makes the registry that it goes into."
  type        = string
  default     = ""

  validation {
    condition     = var.train_image == "" || can(regex("^[^@[:space:]]+@sha256:[0-9a-f]{64}$", var.train_image))
    error_message = "The train_image must be pinned by its digest (…@sha256:…), because a tag may name another image tomorrow."
  }
}

variable "model_packages" {
  description = "Packages of models of one's own that are in the training image, with their digests. `make deploy MODELS=folder` bakes them in and sets this; the job imports models from no other."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for name, digest in var.model_packages : can(regex("^[A-Za-z_][A-Za-z0-9_]*$", name)) && can(regex("^[0-9a-f]{64}$", digest))])
    error_message = "The model_packages must be names of packages, each with the SHA-256 of its files."
  }
}

variable "min_instances" {
  description = "Instances of a function that are kept warm, by function, where it should differ from deployment.yaml."
  type        = map(number)
  default     = {}

  validation {
    condition     = length(setsubtract(keys(var.min_instances), ["ingest", "predict", "monitor"])) == 0
    error_message = "The keys of min_instances must be functions: ingest, predict or monitor."
  }
  validation {
    condition     = alltrue([for count in values(var.min_instances) : count >= 0 && count == floor(count)])
    error_message = "The values of min_instances must be whole numbers, 0 or more."
  }
}

variable "max_instances" {
  description = "The most instances of a function, by function, where it should differ from deployment.yaml: a bound on the bill."
  type        = map(number)
  default     = {}

  validation {
    condition     = length(setsubtract(keys(var.max_instances), ["ingest", "predict", "monitor"])) == 0
    error_message = "The keys of max_instances must be functions: ingest, predict or monitor."
  }
  validation {
    condition     = alltrue([for count in values(var.max_instances) : count >= 1 && count == floor(count)])
    error_message = "The values of max_instances must be whole numbers, 1 or more."
  }
}

variable "sweep_paused" {
  description = "Whether the scheduler is held. Files whose event was lost then stay unjudged."
  type        = bool
  default     = false
}

variable "settle_seconds" {
  description = "How long an apply waits after new grants and new metrics until Google Cloud knows them everywhere. 0 is for tests."
  type        = number
  default     = 90

  validation {
    condition     = var.settle_seconds >= 0 && var.settle_seconds <= 600 && var.settle_seconds == floor(var.settle_seconds)
    error_message = "The settle_seconds must be a whole number from 0 to 600."
  }
}
