"""Geography: packaged land, ports and sea lanes."""
