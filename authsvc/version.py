"""The version, on the floor so that whoever tells it need not know the whole package."""

__version__ = "0.1.0"
