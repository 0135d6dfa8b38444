"""The page for people: one HTML file that tells what happened to a model, from S3 and the AWS API alone."""
