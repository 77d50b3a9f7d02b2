"""A private PgBouncer in transaction mode in front of a private cluster."""

import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.postgres_cluster import SUPERUSER, Address, unprivileged
from tests.support.programs import program

START_SECONDS = 10
SETTINGS = """
[databases]
* = host={cluster} user={user}
[pgbouncer]
unix_socket_dir = {folder}
listen_port = 5432
auth_type = any
pool_mode = transaction
default_pool_size = 3
max_client_conn = 1000
server_idle_timeout = 60
ignore_startup_parameters = extra_float_digits, options
logfile = {folder}/log
{more}
"""


def prepares() -> bool:
    """Return whether the installed PgBouncer keeps track of prepared statements."""
    try:
        answer = subprocess.run([program("pgbouncer"), "--version"], capture_output=True, text=True)
    except FileNotFoundError:
        return False
    version = re.search(r"PgBouncer (\d+)\.(\d+)", answer.stdout)
    return version is not None and tuple(map(int, version.groups())) >= (1, 21)


@contextmanager
def pgbouncer(cluster: Address, **more: object) -> Iterator[Address]:
    """Run a pooler with three connections to each database of the cluster.

    Each process of a test run has databases of its own, so unused connections are closed.

    Args:
        cluster: the cluster.
        more: further settings of PgBouncer.
    """
    binary = program("pgbouncer")
    folder = Path(tempfile.mkdtemp(prefix="authsvc-pgbouncer-"))
    settings = folder / "pgbouncer.ini"
    lines = "\n".join(f"{name} = {value}" for name, value in more.items())
    settings.write_text(
        SETTINGS.format(cluster=cluster.folder, user=SUPERUSER, folder=folder, more=lines)
    )
    if os.getuid() == 0:
        shutil.chown(folder, "postgres")
    process = subprocess.Popen([binary, "--quiet", settings], cwd=folder, **unprivileged())
    try:
        deadline = time.monotonic() + START_SECONDS
        while not (folder / ".s.PGSQL.5432").exists():
            assert process.poll() is None, "PgBouncer did not start"
            assert time.monotonic() < deadline
            time.sleep(0.02)
        yield Address(folder)
    finally:
        process.kill()  # from version 1.23 on, SIGTERM waits until the clients have gone
        process.wait(timeout=START_SECONDS)
        shutil.rmtree(folder)
