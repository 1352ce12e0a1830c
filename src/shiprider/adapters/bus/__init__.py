"""Ways between nodes: a broker, and files on a stick."""
