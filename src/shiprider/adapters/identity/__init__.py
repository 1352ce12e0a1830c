"""Organisations that vouch for their people."""
