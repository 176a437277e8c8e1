"""Requests and answers: instances in, predictions or problems out, the prediction log."""
