"""Examine a deployment from outside, by HTTP alone; this package imports nothing of the service."""
