"""The demo: one command carries a model from source rows to a watched endpoint, as the personas would."""
