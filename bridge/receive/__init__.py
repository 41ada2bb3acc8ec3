"""How instances come in."""
