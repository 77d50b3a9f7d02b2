"""Programs that some tests need, and that may be missing on a user's machine."""

import os
import shutil

import pytest


def program(name: str, package: str = "") -> str:
    """Return the path of a program. If it is missing, skip the test; on CI, fail it.

    Args:
        name: the name of the program.
        package: the name of Debian's package, if it differs.
    """
    found = shutil.which(name, path=f"{os.environ['PATH']}{os.pathsep}/usr/sbin")
    if found is not None:
        return found
    missing = f"{name} is not installed: apt-get install {package or name}"
    if os.environ.get("CI") == "true":
        pytest.fail(missing)
    pytest.skip(missing)
