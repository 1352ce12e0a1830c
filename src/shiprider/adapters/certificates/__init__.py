"""Certificates that a node makes for itself."""
