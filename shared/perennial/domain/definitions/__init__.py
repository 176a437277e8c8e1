"""What a person declares of a pipeline: read, compared, described, first guessed from samples."""
