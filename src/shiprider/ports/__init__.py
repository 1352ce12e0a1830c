"""Small Protocols between the stages and the outside world."""
