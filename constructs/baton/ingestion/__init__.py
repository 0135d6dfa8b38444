"""Ingestion: from the clock, or somebody's word, to a new version of the data set and what follows from it."""
