"""What `infra/deploy.py` is made of: one module for each thing that a deployment talks to."""
