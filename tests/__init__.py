"""The tests. A package, or one of the same name that somebody else installs would be found instead."""
