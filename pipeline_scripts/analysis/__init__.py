"""What training and monitoring share: frames, artefacts, metrics and Model Monitor's file formats."""
