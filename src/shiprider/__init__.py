"""Shiprider: the software of a coalition watch floor against drug trafficking."""

__version__ = "0.1.0"
