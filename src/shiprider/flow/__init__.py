"""The order of steps; the only place where a stage meets a port."""
