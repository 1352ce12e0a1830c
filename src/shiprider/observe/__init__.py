"""Makes sensors' claims clean: validates, marks duplicates, orders, knows reception."""
