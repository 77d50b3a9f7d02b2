"""A token service for browser single-page apps."""

from authsvc.app import create_app

__all__ = ["__version__", "create_app"]
__version__ = "0.1.0"
