# What runs: functions and the job, and what they are built from.

mock_provider "google" {
  source = "./tests/mocks"
}

variables {
  project        = "flower-shop"
  region         = "europe-west1"
  train_image    = "europe-west1-docker.pkg.dev/flower-shop/perennial/train@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
  settle_seconds = 0
}

run "default" {
  command = plan

  assert {
    condition = {
      for name, function in google_cloudfunctions2_function.function : name => {
        memory      = function.service_config[0].available_memory
        cpu         = function.service_config[0].available_cpu
        concurrency = function.service_config[0].max_instance_request_concurrency
        timeout     = function.service_config[0].timeout_seconds
        least       = function.service_config[0].min_instance_count
        most        = function.service_config[0].max_instance_count
      }
      } == {
      ingest  = { memory = "2048Mi", cpu = "1", concurrency = 2, timeout = 540, least = 0, most = 10 }
      predict = { memory = "512Mi", cpu = "1", concurrency = 80, timeout = 60, least = 0, most = 20 }
      monitor = { memory = "2048Mi", cpu = "1", concurrency = 2, timeout = 540, least = 0, most = 1 }
    }
    error_message = "Memory, CPU, concurrency, timeout or instances differ from what is documented."
  }

  assert {
    condition = alltrue([
      for function in google_cloudfunctions2_function.function :
      function.service_config[0].max_instance_request_concurrency == 1 || tonumber(function.service_config[0].available_cpu) >= 1
    ])
    error_message = "Concurrency above 1 takes a whole CPU."
  }

  assert {
    condition = {
      for name, function in google_cloudfunctions2_function.function : name => function.build_config[0].entry_point
    } == { ingest = "ingest", predict = "predict", monitor = "monitor" }
    error_message = "An entry point is not the function that main.py defines."
  }

  assert {
    condition     = alltrue([for function in google_cloudfunctions2_function.function : function.build_config[0].runtime == "python311"])
    error_message = "The runtime is the Python that the local tests use."
  }

  assert {
    condition     = alltrue([for function in google_cloudfunctions2_function.function : length(function.event_trigger) == 0])
    error_message = "Eventarc calls ingest through a trigger of its own: a function's event_trigger would make a second one."
  }

  assert {
    condition = {
      for name, function in google_cloudfunctions2_function.function : name => function.service_config[0].ingress_settings
    } == { ingest = "ALLOW_INTERNAL_ONLY", predict = "ALLOW_ALL", monitor = "ALLOW_INTERNAL_ONLY" }
    error_message = "Only predict is reached from outside."
  }

  assert {
    condition = {
      for name, function in google_cloudfunctions2_function.function : name => {
        for variable, value in function.service_config[0].environment_variables : variable => value if contains(["THREADS", "WORKERS", "FUNCTION_USE_ASGI"], variable)
      }
      } == {
      ingest  = { THREADS = "2", WORKERS = "1" }
      predict = { THREADS = "80", WORKERS = "1", FUNCTION_USE_ASGI = "1" }
      monitor = { THREADS = "2", WORKERS = "1" }
    }
    error_message = "The server's threads and workers are not what the concurrency needs."
  }

  assert {
    condition = alltrue([
      for part, object in google_storage_bucket_object.source :
      can(regex("^${part}/[0-9a-f]{16}\\.zip$", object.name)) && strcontains(object.source, "/${part}-${trimsuffix(basename(object.name), ".zip")}.zip")
    ])
    error_message = "A source object is not named after the digest of what it holds."
  }

  assert {
    condition     = toset(keys(google_storage_bucket_object.source)) == toset(["ingest", "predict", "monitor", "train"])
    error_message = "Each function and the job has a source."
  }

  assert {
    condition = alltrue([
      for name, function in google_cloudfunctions2_function.function :
      function.build_config[0].source[0].storage_source[0].bucket == "flower-shop-perennial-sources" &&
      function.build_config[0].source[0].storage_source[0].object == google_storage_bucket_object.source[name].name
    ])
    error_message = "A function is not built from its own source."
  }

  assert {
    condition     = google_cloud_run_v2_job.train.template[0].template[0].max_retries == 0
    error_message = "The platform must not repeat a run: the sweep does."
  }

  assert {
    condition     = google_cloud_run_v2_job.train.template[0].template[0].timeout == "3600s"
    error_message = "The job's timeout is not the documented one."
  }

  assert {
    condition = alltrue([
      for variable in google_cloud_run_v2_job.train.template[0].template[0].containers[0].env :
      tonumber(variable.value) > 3600 if variable.name == "PERENNIAL_CLAIM_SECONDS"
    ]) && contains([for variable in google_cloud_run_v2_job.train.template[0].template[0].containers[0].env : variable.name], "PERENNIAL_CLAIM_SECONDS")
    error_message = "A claim must outlive the job, or a second run could start beside the first."
  }

  assert {
    condition = google_cloud_run_v2_job.train.template[0].template[0].containers[0].resources[0].limits == tomap({
      cpu    = "2"
      memory = "4096Mi"
    })
    error_message = "The job's CPU or memory differ from what is documented."
  }

  assert {
    condition     = google_cloud_run_v2_job.train.template[0].task_count == 1 && google_cloud_run_v2_job.train.template[0].parallelism == 1
    error_message = "One execution is one task."
  }

  assert {
    condition     = google_cloud_run_v2_job.train.template[0].template[0].containers[0].image == var.train_image
    error_message = "The job does not run the image that was given."
  }

  assert {
    condition     = google_cloud_run_v2_job.train.deletion_protection
    error_message = "Deleting the job takes a deliberate variable."
  }

  assert {
    condition     = !contains([for variable in google_cloud_run_v2_job.train.template[0].template[0].containers[0].env : variable.name], "PERENNIAL_MODEL_PACKAGES")
    error_message = "A job without packages may import models from none."
  }
}

run "packages_of_models_are_the_jobs_alone" {
  command = plan
  variables {
    model_packages = {
      house_models = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
      a_models     = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    }
  }

  assert {
    condition = [
      for variable in google_cloud_run_v2_job.train.template[0].template[0].containers[0].env : variable.value if variable.name == "PERENNIAL_MODEL_PACKAGES"
    ] == ["a_models,house_models"]
    error_message = "The job may import models from the packages that are baked in, and from no other."
  }

  assert {
    condition = alltrue([
      for function in google_cloudfunctions2_function.function : !contains(keys(function.service_config[0].environment_variables), "PERENNIAL_MODEL_PACKAGES")
    ])
    error_message = "Functions import no models."
  }
}

run "instances_and_protection_by_variable" {
  command = plan
  variables {
    min_instances       = { predict = 1 }
    max_instances       = { ingest = 5 }
    deletion_protection = false
  }

  assert {
    condition = {
      for name, function in google_cloudfunctions2_function.function : name => [function.service_config[0].min_instance_count, function.service_config[0].max_instance_count]
    } == { ingest = [0, 5], predict = [1, 20], monitor = [0, 1] }
    error_message = "Instances follow the variables, and the table where these are silent."
  }

  assert {
    condition     = !google_cloud_run_v2_job.train.deletion_protection
    error_message = "deletion_protection is a variable."
  }
}
