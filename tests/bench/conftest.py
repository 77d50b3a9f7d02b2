"""Which tests of the bench an ordinary run has."""

from pathlib import Path

import pytest

NEEDS_MATPLOTLIB = {"test_drawing.py"}


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out what needs matplotlib, which `make soak` installs and `make test` does not."""
    if collection_path.name in NEEDS_MATPLOTLIB and not config.getoption("--soak"):
        return True
    return None
