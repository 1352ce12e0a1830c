"""The access log on a local disk."""
