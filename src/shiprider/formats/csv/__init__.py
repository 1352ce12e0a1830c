"""AIS tables as text: published layouts and a declared map for any other."""
