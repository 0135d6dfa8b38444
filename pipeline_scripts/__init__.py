"""What runs inside AWS: Glue scripts, SageMaker scripts and Lambda handlers. Imports no CDK."""
