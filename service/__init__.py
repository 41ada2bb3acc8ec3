"""The web front end: takes volumes in, hands fields, warped segmentations and coefficients out. No code yet."""
