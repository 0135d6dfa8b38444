"""Baton's construct library, grouped by the stations a model passes. Import from the module that defines."""
