"""Where the time of a start goes: the imports of each package, and the making of the app."""

import re
import subprocess
import sys
from collections import Counter
from statistics import median

from bench import ROOT
from bench.profile.cpu_time import Rows

ROUNDS = 5
PACKAGES = {
    "authsvc": "the service's own modules, with their models and dataclasses",
    **dict.fromkeys(("sqlalchemy", "flask_sqlalchemy"), "SQLAlchemy"),
    **dict.fromkeys(("pydantic", "pydantic_core", "annotated_types"), "pydantic"),
    **dict.fromkeys(("flask", "werkzeug", "jinja2", "click", "blinker"), "Flask and its parts"),
}
OTHERS = "other packages, and Python's own modules"
APP = "the app"
SCRIPT = """
import sys, time
import authsvc.gunicorn, authsvc.app
began = time.perf_counter()
authsvc.create_app()
print(round((time.perf_counter() - began) * 1e6))
"""
_LINE = re.compile(r"import time: +(\d+) \| +\d+ \| +(\w+)")


def start() -> Rows:
    """Return the microseconds of each part: medians of some starts of a new Python.

    Python measures each module (`-X importtime`), which makes the whole a little slower.
    """
    starts = [_start() for _ in range(ROUNDS)]
    parts = {part: float(median(one[part] for one in starts)) for part in starts[0]}
    by_cost = sorted(parts.items(), key=lambda part: -part[1])
    return [("**all of it**", sum(parts.values())), *by_cost]


def _start() -> Counter[str]:
    command = [sys.executable, "-X", "importtime", "-c", SCRIPT]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    parts: Counter[str] = Counter()
    for microseconds, package in _LINE.findall(done.stderr):
        parts[PACKAGES.get(package, OTHERS)] += int(microseconds)
    parts[APP] = int(done.stdout)
    return parts
