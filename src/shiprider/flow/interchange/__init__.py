"""What goes to, and comes from, software that is not a Shiprider."""
