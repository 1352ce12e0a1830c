"""Everything with a vendor's name."""
