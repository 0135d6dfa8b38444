"""Approval: from a person's word to an endpoint that provably follows it."""
