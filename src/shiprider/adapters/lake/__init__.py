"""Lakes: bulk frames in columns."""
