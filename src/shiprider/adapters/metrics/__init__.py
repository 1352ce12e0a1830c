"""Metrics in the forms that monitoring reads."""
