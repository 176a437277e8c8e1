"""From typed rows to a model: features, estimators, training, and what a model needs."""
