"""STIX 2.1 (OASIS, 2021-06-10): what we write for others, what others wrote for us."""
