"""The Feature Store: a model's inputs, by the surrogate of the person they are about."""
