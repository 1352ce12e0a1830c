"""Makes one picture: which observations are one object."""
