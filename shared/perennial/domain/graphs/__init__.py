"""A model file as data: what an ONNX graph may hold, looked at before anything loads it."""
