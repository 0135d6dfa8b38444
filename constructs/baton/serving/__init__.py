"""Serving: the approved version of a model behind an endpoint."""
