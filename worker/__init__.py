"""What computes: volumes in, fields, reports and pictures out."""
