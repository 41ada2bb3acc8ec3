"""Bytes under keys: a folder, or any S3 server."""
