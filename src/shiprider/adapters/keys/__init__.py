"""Keys: where a node keeps what it signs with."""
