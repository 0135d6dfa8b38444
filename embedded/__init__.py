"""Embedded AWS: one local process that answers the AWS APIs and runs what SageMaker and Glue would run."""
