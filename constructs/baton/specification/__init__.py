"""What a model is: the typed form of one file under config/models/."""
