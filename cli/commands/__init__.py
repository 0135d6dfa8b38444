"""One module a command; each asks the modules beside this folder and prints."""
