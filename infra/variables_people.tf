# Who may use the deployment, beside its own service accounts. Members are written as IAM writes
# them: user:ada@example.com, group:…, serviceAccount:….

variable "operators" {
  description = "Members who may do all that the command line does: apply, drop, approve, roll back, heal, retrain, sweep, doctor."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for member in var.operators : can(regex("^(user|group|serviceAccount|domain|principal|principalSet):.+", member))])
    error_message = "The operators must be IAM members such as user:ada@example.com; allUsers and allAuthenticatedUsers are not accepted."
  }
}

variable "droppers" {
  description = "Members who may drop files for a pipeline and see what becomes of them, by pipeline."
  type        = map(set(string))
  default     = {}

  validation {
    # The name becomes part of an IAM condition, so nothing else may get into it.
    condition     = alltrue([for pipeline in keys(var.droppers) : can(regex("^[a-z][a-z0-9-]{0,62}$", pipeline))])
    error_message = "The keys of droppers must be names of pipelines: lower-case letters, digits and hyphens, beginning with a letter."
  }
  validation {
    condition     = alltrue([for member in flatten([for members in values(var.droppers) : tolist(members)]) : can(regex("^(user|group|serviceAccount|domain|principal|principalSet):.+", member))])
    error_message = "The droppers must be IAM members such as user:ada@example.com; allUsers and allAuthenticatedUsers are not accepted."
  }
  validation {
    # IAM takes 20 conditions for one role and member, and each pipeline is one.
    condition = alltrue([
      for member in distinct(flatten([for members in values(var.droppers) : tolist(members)])) :
      length([for pipeline, members in var.droppers : pipeline if contains(members, member)]) <= 18
    ])
    error_message = "The droppers must not name one member for more than 18 pipelines: make a group for each pipeline."
  }
}

variable "callers" {
  description = "Members who may call predict: they mint identity tokens of the caller account."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for member in var.callers : can(regex("^(user|group|serviceAccount|domain|principal|principalSet):.+", member))])
    error_message = "The callers must be IAM members such as user:ada@example.com; predict_public opens predict to everybody."
  }
}

variable "predict_public" {
  description = "Whether anybody on the internet may call predict without a token, at your cost."
  type        = bool
  default     = false
}

variable "console" {
  description = "Whether there is a web page for operators, behind the Identity-Aware Proxy. Operators act there; of them only those written as user: or serviceAccount: can, because the proxy tells a person's address and no groups."
  type        = bool
  default     = false
}

variable "console_viewers" {
  description = "Members who may see the console and change nothing there, beside the operators."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for member in var.console_viewers : can(regex("^(user|group|serviceAccount|domain|principal|principalSet):.+", member))])
    error_message = "The console_viewers must be IAM members such as user:ada@example.com; allUsers and allAuthenticatedUsers are not accepted."
  }
}
