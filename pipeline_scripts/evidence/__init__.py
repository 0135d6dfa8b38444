"""What a version's training leaves to those who judge it, bound together so that nobody can change a part of it."""
