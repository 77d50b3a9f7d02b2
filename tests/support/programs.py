"""Programs that some tests need and that a user's machine may lack."""

import os
import shutil

import pytest


def program(name: str, package: str = "") -> str:
    """The path of a program; without it the test is left out, and on CI it fails.

    Args:
        name: what it is called.
        package: Debian's, where that has another name.
    """
    found = shutil.which(name, path=f"{os.environ['PATH']}{os.pathsep}/usr/sbin")
    if found is not None:
        return found
    missing = f"{name} is not installed: apt-get install {package or name}"
    if os.environ.get("CI") == "true":
        pytest.fail(missing)
    pytest.skip(missing)
