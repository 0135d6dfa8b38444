"""Clarify: what SageMaker Clarify is told about a model, before and after it is deployed."""
