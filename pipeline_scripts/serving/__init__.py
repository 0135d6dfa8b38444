"""What an endpoint needs to answer: this package travels inside the model artefact, so it imports nothing around it."""
