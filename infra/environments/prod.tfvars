# A deployment that people rely on. Add who may use it and who is told.

force_destroy       = false # buckets that hold anything outlive a mistaken destroy
deletion_protection = true
soft_delete_days    = 30 # a month to notice what should not have been deleted

# Originals of landing are kept for good, as by default: versions are reproduced from them.
keep_days = {
  quarantine        = 365
  predictions       = 180
  models_noncurrent = 365
}
log_days = 90

min_instances = { predict = 1 } # no caller waits for a cold start; the one price paid while idle

quarantine_rate_alert = 0.1
stale_champion_days   = 14

# alert_emails = ["oncall@example.com"]
# operators    = ["group:ml-operators@example.com"]
# droppers     = { sales = ["group:sales-data@example.com"] }
# callers      = ["serviceAccount:shop@example-project.iam.gserviceaccount.com"]
