# When somebody is told.

variable "alert_emails" {
  description = "Addresses that alerts are sent to. Without any, alerts are still raised and shown in the console."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for address in var.alert_emails : can(regex("^[^@[:space:]]+@[^@[:space:]]+$", address))])
    error_message = "The alert_emails must be e-mail addresses."
  }
}

variable "alert_webhook" {
  description = "An https address that takes each finding of monitor as a JSON document by POST, such as a chat's incoming webhook. Empty for none. Whoever may see the function's settings sees it."
  type        = string
  default     = ""
  sensitive   = true

  validation {
    condition     = var.alert_webhook == "" || can(regex("^https://[^[:space:]/]+", var.alert_webhook))
    error_message = "The alert_webhook must be an https address."
  }
}

variable "quarantine_rate_alert" {
  description = "Share of a pipeline's files that may be quarantined within the window before somebody is told, from 0 to 1."
  type        = number
  default     = 0.2

  validation {
    condition     = var.quarantine_rate_alert >= 0 && var.quarantine_rate_alert < 1
    error_message = "The quarantine_rate_alert must be a share from 0 to below 1."
  }
}

variable "quarantine_window_hours" {
  description = "The window over which the share of quarantined files is taken."
  type        = number
  default     = 24

  validation {
    # Cloud Monitoring aligns alert conditions over at most 25 hours.
    condition     = var.quarantine_window_hours >= 1 && var.quarantine_window_hours <= 24 && var.quarantine_window_hours == floor(var.quarantine_window_hours)
    error_message = "The quarantine_window_hours must be a whole number from 1 to 24."
  }
}

variable "stale_champion_days" {
  description = "Age of a champion, in days, from which somebody is told that nothing newer was promoted."
  type        = number
  default     = 30

  validation {
    condition     = var.stale_champion_days > 0
    error_message = "The stale_champion_days must be more than 0."
  }
}

variable "error_rate_alert" {
  description = "Share of a service's requests that may end in a 5xx within 15 minutes before somebody is told, from 0 to 1."
  type        = number
  default     = 0.05

  validation {
    condition     = var.error_rate_alert >= 0 && var.error_rate_alert < 1
    error_message = "The error_rate_alert must be a share from 0 to below 1."
  }
}
