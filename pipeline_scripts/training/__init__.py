"""The steps of the training pipeline, one module a step."""
