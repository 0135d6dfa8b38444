"""The data lake: its zones, its catalogue, its query workgroup."""
