"""Structured logs: one JSON object a line, with the request's and the job's id, and no patient data."""
