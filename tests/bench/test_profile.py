"""The parts of a request within one process, with few calls of each: the bench still runs."""

import json
import subprocess
import sys
from pathlib import Path

from tests.support.running_service import ROOT, environment, new_database

# In a process of its own, whose environment has the service's settings.
FEW_CALLS = """
import json
from bench.peers import definition
from bench.profile import cpu_time
definition.SESSIONS, cpu_time.BATCHES, cpu_time.CALLS = 5, 1, 5
from bench.profile import in_process
in_process.COMMITS, in_process.LOGOUTS = 5, 20
from bench.profile import start
start.ROUNDS = 1
tables = [*in_process.profiles(), ("A start", start.start())]
print(json.dumps([[title, rows] for title, rows in tables]))
"""


REQUESTS = ["A protected route", "A refresh", "A logout", "A login"]


def test_each_table_has_the_microseconds_of_its_parts(tmp_path: Path) -> None:
    settings = environment(new_database(tmp_path), rate_limit_factor="1000")
    command = [sys.executable, "-c", FEW_CALLS]
    done = subprocess.run(command, cwd=ROOT, env=settings, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    tables = dict(json.loads(done.stdout))
    assert list(tables) == [*REQUESTS, "A start"]
    assert all(rows[0][0] == "**all of it**" and rows[0][1] > 0 for rows in tables.values())
