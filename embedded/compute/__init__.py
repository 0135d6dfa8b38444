"""The compute plane of embedded AWS: what SageMaker and Glue would run, as plain processes."""
