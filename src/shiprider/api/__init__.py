"""HTTP and live push."""
