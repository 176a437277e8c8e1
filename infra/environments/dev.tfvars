# A deployment to try things in: it can be thrown away whole, data included. ENV=prod keeps what people rely on.

force_destroy       = true  # `make destroy` takes the data with it
deletion_protection = false # and the job
soft_delete_days    = 0     # nothing deleted is paid for

keep_days = {
  landing_noncurrent = 30 # nobody has to reproduce a version of here
  quarantine         = 30
  predictions        = 7
  models_noncurrent  = 7
}
log_days = 7

max_instances = { ingest = 4, predict = 2 } # a loop in a test costs little

stale_champion_days = 365 # nobody minds
