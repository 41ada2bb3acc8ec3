"""The documents that leave as JSON, the same from the command line and from the web service. Free of torch."""
