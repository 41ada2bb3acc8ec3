"""Measurements: registration beside other programs, and training and inference with each trick off and on."""
