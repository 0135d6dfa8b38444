"""SageMaker's control plane and runtime API; what they start runs in `embedded.compute`."""
