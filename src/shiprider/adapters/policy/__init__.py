"""The policy engine: agreements and labels as Cedar policies."""
