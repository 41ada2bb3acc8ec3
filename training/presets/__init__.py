"""Training configurations that are known by name."""
