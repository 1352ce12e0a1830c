"""Benchmarks: ours beside the peers, both sides in one run."""
