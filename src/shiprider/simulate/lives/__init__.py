"""How lawful vessels live, class by class: endless generators of movement."""
