"""The monitors of a served version, one module a monitor."""
