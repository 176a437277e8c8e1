"""What a pipeline is watched for: one detector a file, and what becomes of what they find."""
