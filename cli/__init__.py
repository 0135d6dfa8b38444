"""The `baton` command: the operator's day, against AWS or embedded AWS alike."""
