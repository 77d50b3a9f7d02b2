"""What the service costs beside a bare Flask route: same machine, same run, same gunicorn.

    python -m bench.side_by_side [ROUNDS] [SECONDS]

It needs wrk (a Debian package). One worker each, on a core of its own, and wrk on another: with two
workers the kernel at times gives one of them all connections, and a round tells nothing. Rounds
are interleaved; the table shows medians and ratios.
"""

import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from pathlib import Path

from authsvc import create_app, schema
from authsvc.components import component
from authsvc.sessions.lifecycle import Device, Sessions
from authsvc.settings_sources import load_settings
from authsvc.users import accounts, authentication
from tests.gunicorn import ROOT, environment, free_port

CONNECTIONS = 16
SESSIONS = 1_000
GUNICORN = ["--worker-class=gthread", "--threads=4", "--workers=1", "--preload", "--keep-alive=75"]
GUNICORN += ["--worker-tmp-dir=/dev/shm", "--no-control-socket"]
Target = tuple[str, str, dict[str, str]]


def main() -> None:
    rounds, seconds = (int(word) for word in (*sys.argv[1:], "5", "4")[:2])
    if shutil.which("wrk") is None:
        sys.exit("wrk is not installed: apt-get install wrk")
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        database = f"sqlite:///{folder}/authsvc.db"
        env = environment(database, rate_limit_factor="1000000")
        access, refresh = _filled(database, env)
        bare = stack.enter_context(_serving(["--config=/dev/null", "bench.bare:app"], env))
        service = ["--config=python:authsvc.gunicorn", "bench.guarded:app"]
        full = stack.enter_context(_serving(service, env))
        targets: dict[str, Target] = {
            "bare Flask": ("GET", f"{bare}/api/things", {}),
            "protected": ("GET", f"{full}/api/things", {"Authorization": f"Bearer {access}"}),
            "refresh": (
                "POST",
                f"{full}/auth/refresh",
                {"Cookie": f"__Host-refresh_token={refresh}"},
            ),
        }
        for target in targets.values():
            _load(Path(folder), target, 1)
        rates: dict[str, list[float]] = {name: [] for name in targets}
        for number in range(rounds):
            for name, target in targets.items():
                rates[name].append(_load(Path(folder), target, seconds))
            print(f"round {number + 1} of {rounds}", file=sys.stderr)
    _print(rates)


def _filled(url: str, env: dict[str, str]) -> tuple[str, str]:
    """A database with one user and many sessions; the tokens of the last one."""
    schema.upgrade(url)
    app = create_app(load_settings(Path("/nonexistent"), env))
    with app.app_context():
        password = "a horse that is correct"
        accounts.register("alice@example.com", password)
        alice = authentication.authenticate("alice@example.com", password)
        for _ in range(SESSIONS):
            opened = component(Sessions).open(alice, Device("bench", "127.0.0.1"), [])
    return opened.access_token.access_token, opened.refresh_token


@contextmanager
def _serving(words: list[str], env: dict[str, str]) -> Iterator[str]:
    port = free_port()
    process = subprocess.Popen(
        [
            "taskset",
            "--cpu-list",
            "0",
            sys.executable,
            "-m",
            "gunicorn",
            *GUNICORN,
            f"--bind=127.0.0.1:{port}",
            *words,
        ],
        cwd=ROOT,
        env={**env, "MALLOC_ARENA_MAX": "2"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        _wait(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=30)


def _wait(port: int) -> None:
    for _ in range(200):
        try:
            connection = HTTPConnection("127.0.0.1", port)
            connection.request("GET", "/")
            connection.getresponse()
        except OSError:
            time.sleep(0.05)
        else:
            return
    sys.exit("gunicorn did not start")


def _load(folder: Path, target: Target, seconds: int) -> float:
    """Requests per second; a single answer that is not 2xx ends the run."""
    method, url, headers = target
    script = folder / "method.lua"
    script.write_text(f'wrk.method = "{method}"\n')
    words = [
        "taskset",
        "--cpu-list",
        "1",
        "wrk",
        "-t1",
        f"-c{CONNECTIONS}",
        f"-d{seconds}s",
        "-s",
        str(script),
    ]
    for name, value in headers.items():
        words += ["-H", f"{name}: {value}"]
    output = subprocess.run([*words, url], check=True, capture_output=True, text=True).stdout
    found = re.search(r"Requests/sec:\s+([\d.]+)", output)
    if found is None or "Non-2xx" in output:
        sys.exit(f"{method} {url} went wrong:\n{output}")
    return float(found[1])


def _print(rates: dict[str, list[float]]) -> None:
    ceiling = statistics.median(rates["bare Flask"])
    print("| route | requests/s | to bare Flask | rounds |\n| --- | ---: | ---: | --- |")
    for name, values in rates.items():
        rate = statistics.median(values)
        each = " ".join(f"{value:.0f}" for value in values)
        print(f"| {name} | {rate:,.0f} | {rate / ceiling:.2f} | {each} |")


if __name__ == "__main__":
    main()
