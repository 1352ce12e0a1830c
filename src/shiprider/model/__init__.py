"""The nouns: what the platform talks about, and the errors it can raise. No I/O."""
