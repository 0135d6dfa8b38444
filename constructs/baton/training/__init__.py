"""Training: the SageMaker pipeline that turns a dataset into a version somebody may approve."""
