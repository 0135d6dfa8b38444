"""The Feature Store: filling a model's group from a data set, and reading records back as a model's inputs."""
