"""Where state lives: the database (truth), the object store (bytes), Redis streams (live progress). Free of torch."""
