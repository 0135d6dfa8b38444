"""Customers of a bank that does not exist, and what becomes of them as requests, drift and source tables."""
