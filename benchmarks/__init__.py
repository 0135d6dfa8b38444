"""Measurements of the project, each written to build/bench/NAME.json."""
