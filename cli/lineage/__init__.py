"""From one thing to everything and everybody that made it, and to everything that came of it."""
