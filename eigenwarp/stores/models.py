"""Published models, in the object store."""
