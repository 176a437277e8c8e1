terraform {
  required_version = ">= 1.9" # validation blocks may name other variables since 1.9

  required_providers {
    google = {
      source = "hashicorp/google"
      # Before 7.31 the schedule's headers never came to rest, before 7.35 bucket updates could fail
      # with "missing identity", before 7.40 a trigger with conditions could not be read.
      version = ">= 7.40, < 9.0"
    }
  }

  # Where the state lies is told when Terraform is initialised (`-backend-config="bucket=…"`), so
  # that teammates share it and one checkout can serve several deployments.
  backend "gcs" {}
}

provider "google" {
  project = var.project
  region  = var.region
}
