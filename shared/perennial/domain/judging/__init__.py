"""What is right and wrong with a file: rules, checks against history, diagnosis, repairs."""
