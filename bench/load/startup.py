"""How long the command line takes to begin, beside the import of Flask that nothing can avoid."""

import os
import subprocess
import sys
import time
from dataclasses import dataclass

from bench import ROOT

TIMES = 3
AUTHSVC = ("-m", "authsvc")
TAB = {"_AUTHSVC_COMPLETE": "bash_complete", "COMP_WORDS": "authsvc se", "COMP_CWORD": "1"}


@dataclass(frozen=True)
class Startup:
    """Milliseconds of three commands.

    Args:
        flask: `python -c "import flask"`.
        help: `authsvc --help`.
        completion: what a shell runs for the Tab key after `authsvc se`.
    """

    flask: float
    help: float
    completion: float


def startup() -> Startup:
    """Run each command some times in turn, and return the fastest of each."""
    runs = [
        (
            _milliseconds("-c", "import flask"),
            _milliseconds(*AUTHSVC, "--help"),
            _milliseconds(*AUTHSVC, **TAB),
        )
        for _ in range(TIMES)
    ]
    return Startup(*(min(times) for times in zip(*runs, strict=True)))


def _milliseconds(*words: str, **settings: str) -> float:
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, *words],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **settings},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return (time.perf_counter() - began) * 1000
