"""Registry: where every version of a model waits for its approval."""
