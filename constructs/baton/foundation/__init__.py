"""What every station stands on: keys, network, and the code that runs inside AWS."""
