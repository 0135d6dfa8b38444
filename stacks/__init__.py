"""What is deployed together: composition only."""
