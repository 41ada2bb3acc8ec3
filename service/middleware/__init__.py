"""What surrounds every request, each a plain ASGI application around the next."""
