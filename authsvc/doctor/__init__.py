"""Looks at a deployment from outside, by HTTP alone: it knows none of the service's rooms."""
