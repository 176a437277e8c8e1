"""What `perennial doctor` expects of a deployment, and what it says of what it found."""
