"""The people of a node in a file of their own; the primitives of passwords and passkeys."""
