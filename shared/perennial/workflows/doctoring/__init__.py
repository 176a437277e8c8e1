"""`perennial doctor`: look at every part of a deployment and say what is not as it must be."""
