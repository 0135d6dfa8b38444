"""The kinds of sources a model's rows may come from, all read through one interface."""
