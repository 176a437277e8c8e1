# What is kept for how long, and what may be deleted.

variable "force_destroy" {
  description = "Whether destroying the deployment deletes buckets that still hold objects. Data and models are then gone for good."
  type        = bool
  default     = false
}

variable "deletion_protection" {
  description = "Whether Terraform refuses to delete the training job, and with it the record of its executions."
  type        = bool
  default     = true
}

variable "soft_delete_days" {
  description = "How long Cloud Storage keeps what was deleted or overwritten, so that it can be restored: 7 to 90 days, or 0 for not at all."
  type        = number
  default     = 7

  validation {
    condition     = var.soft_delete_days == 0 || (var.soft_delete_days >= 7 && var.soft_delete_days <= 90 && var.soft_delete_days == floor(var.soft_delete_days))
    error_message = "The soft_delete_days must be 0, or a whole number from 7 to 90."
  }
}

variable "keep_days" {
  description = "After how many days the lifecycle deletes: overwritten landing files, quarantined files, prediction logs, looks of monitor, overwritten registry heads. 0 is never."
  type = object({
    # Originals must outlive every version that learned from them, so nothing ends this by default.
    landing_noncurrent = optional(number, 0)
    # The quarantine holds copies; the original is in landing for as long as that keeps it, and what
    # repaired a file is in the data bucket, which keeps everything.
    quarantine  = optional(number, 365)
    predictions = optional(number, 90)
    # monitor writes its last look again after 30 days, so that there always is one.
    watches = optional(number, 180)
    # The history of the registry is in its commits; these are only for an operator's slip.
    models_noncurrent = optional(number, 90)
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for days in values(var.keep_days) : days >= 0 && days == floor(days)])
    error_message = "The keep_days must be whole numbers of days, or 0 for never."
  }

  validation {
    condition     = var.keep_days.watches == 0 || var.keep_days.watches >= 60
    error_message = "The keep_days.watches must be 0, or at least 60: the last look of a quiet pipeline may be 30 days old."
  }
}

variable "regional_logs" {
  description = "Whether logs are kept in a log bucket of the region and not in the project's _Default one, which is global in most projects. Logs Explorer shows them when its scope is that bucket."
  type        = bool
  default     = true
}

variable "log_days" {
  description = "How many days the regional log bucket keeps log lines."
  type        = number
  default     = 30

  validation {
    condition     = var.log_days >= 1 && var.log_days <= 3650 && var.log_days == floor(var.log_days)
    error_message = "The log_days must be a whole number from 1 to 3650."
  }
}
