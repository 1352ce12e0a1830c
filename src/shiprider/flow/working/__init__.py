"""Working together: what people of several nodes ask, say and see of one case."""
