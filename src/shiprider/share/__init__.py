"""Share: labels in words, release, tear-lines, and what a change of policy would let out."""
