"""Parts of `workflows.serve`: loading versions, following one head, finding pipelines."""
