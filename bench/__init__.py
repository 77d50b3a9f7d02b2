"""Measures the service: beside its peers, under overload, over an hour, with many sessions."""

from pathlib import Path

ROOT = Path(__file__).parents[1]
"""The folder of the repository."""
