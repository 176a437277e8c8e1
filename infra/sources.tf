# What functions and the training image are built from: one zip each, made by infra/bundle.py. Its
# object is named after the digest of what it holds, so a function is deployed anew when its
# sources changed and at no other time.

locals {
  bundles = var.bundles == null ? "${path.module}/../build/bundles" : var.bundles
  zips = {
    for part in concat(keys(local.functions), keys(local.table.job), tolist(local.pages)) :
    part => sort(fileset(local.bundles, "${part}-*.zip"))
  }
}

resource "google_storage_bucket_object" "source" {
  for_each = local.zips

  bucket       = google_storage_bucket.bucket["sources"].name
  name         = "${each.key}/${try(trimprefix(trimsuffix(each.value[0], ".zip"), "${each.key}-"), "missing")}.zip"
  source       = "${local.bundles}/${try(each.value[0], "missing")}"
  content_type = "application/zip"

  lifecycle {
    create_before_destroy = true # what a function was built from goes when its successor is built
    precondition {
      condition     = length(each.value) == 1
      error_message = "Expected one ${each.key}-*.zip in ${local.bundles}, found ${length(each.value)}: run `make bundles`."
    }
  }
}
