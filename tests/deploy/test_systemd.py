"""docs/deploy/'s unit, socket and command: systemd's verdict on them, and what they run."""

import os
import shutil
import socket
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path

import pytest

from authsvc.server import process
from tests.deploy.conftest import DEPLOY, START_SECONDS
from tests.deploy.server import USUAL_PATH, Server, server
from tests.support.nginx_server import changed
from tests.support.programs import program

CODE = "/opt/authsvc/current"
MOST_EXPOSED = 15
"""In tenths of the exposure level of `systemd-analyze security`, which is from 0 to 10."""


def values(name: str) -> list[str]:
    """Return the unit's values with that name, one for each line."""
    lines = (DEPLOY / "authsvc.service").read_text().splitlines()
    return [value for key, _, value in (line.partition("=") for line in lines) if key == name]


def value(name: str) -> str:
    (found,) = values(name)
    return found


@pytest.fixture
def units(tmp_path: Path) -> list[Path]:
    """The two files as they are, except the program, which only a server has."""
    changes = {f"{CODE}/.venv/bin/python": str(shutil.which("true"))}
    service = tmp_path / "authsvc.service"
    service.write_text(changed((DEPLOY / "authsvc.service").read_text(), changes))
    return [service, Path(shutil.copy(DEPLOY / "authsvc.socket", tmp_path))]


def analyzed(folder: Path, *words: str | Path) -> "subprocess.CompletedProcess[str]":
    """Run `systemd-analyze` where no unit and no drop-in of this machine is found.

    Every unit needs sysinit.target, so an empty one takes the place of the machine's.
    """
    only = folder / "units"
    only.mkdir()
    (only / "sysinit.target").write_text("[Unit]\nDescription=Empty\n")
    command = [program("systemd-analyze", package="systemd"), *words]
    variables = {"PATH": USUAL_PATH, "SYSTEMD_UNIT_PATH": str(only)}
    return subprocess.run(command, env=variables, capture_output=True, text=True)


@pytest.fixture(scope="module")
def machine() -> Iterator[Server]:
    """A machine with a migrated database, which the tests of this file share."""
    with server() as made:
        migrated = made.run(made.code / ".venv/bin/python", "-m", "authsvc", "db", "upgrade")
        assert migrated.returncode == 0, migrated.stderr
        yield made


@pytest.fixture
def port() -> Iterator[socket.socket]:
    """The socket that systemd would own."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


@contextmanager
def started(
    machine: Server, port: socket.socket, folder: Path, before: Sequence[str | Path] = ()
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run the unit's command with the unit's variables, after it has notified that it is ready."""
    words = [*before, *value("ExecStart").replace(CODE, str(machine.code)).split()]
    variables = dict(pair.split("=") for line in values("Environment") for pair in line.split())
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notices:
        address = machine.state.parent / "notices"
        notices.bind(str(address))
        address.chmod(0o666)
        notices.settimeout(START_SECONDS)
        variables["NOTIFY_SOCKET"] = str(address)
        process = machine.start(words, variables, port, folder / "output")
        try:
            try:
                assert "READY=1" in notices.recv(1024).decode().splitlines()
            except TimeoutError:
                pytest.fail(f"it did not start:\n{(folder / 'output').read_text()}")
            yield process
        finally:
            process.terminate()
            process.wait(timeout=int(value("TimeoutStopSec")))
            address.unlink()


def calls(named: str) -> set[str]:
    """Return that system call, or those of one of systemd's groups, which may contain groups."""
    if not named.startswith("@"):
        return {named}
    command = [program("systemd-analyze", package="systemd"), "syscall-filter", "--no-pager", named]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    names = [line.strip() for line in shown.splitlines()[1:]]
    return set().union(*(calls(name) for name in names if name and not name.startswith("#")))


def filtered(folder: Path) -> list[str | Path]:
    """Return what goes before a command so that the system calls that the unit forbids fail."""
    allowed: set[str] = set()
    for groups in values("SystemCallFilter"):
        named = set().union(*(calls(group) for group in groups.lstrip("~").split()))
        allowed = allowed - named if groups.startswith("~") else allowed | named
    others = "!" + ",".join(f"?{name}" for name in sorted(allowed))
    strace: list[str | Path] = [program("strace"), "-D", "-f", "-qq", "--seccomp-bpf"]
    strace += ["-e", f"trace={others}", "-e", f"inject={others}:error=EPERM"]
    return [*strace, "-o", folder / "forbidden"]


def get(port: socket.socket, path: str) -> int:
    with closing(HTTPConnection(*port.getsockname(), timeout=START_SECONDS)) as connection:
        connection.request("GET", path)
        return connection.getresponse().status


def test_systemd_finds_no_fault(units: list[Path], tmp_path: Path) -> None:
    done = analyzed(tmp_path, "verify", *units)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_fault_in_our_unit_is_found(units: list[Path], tmp_path: Path) -> None:
    units[0].write_text(units[0].read_text().replace("UMask=", "Umask="))
    assert "Unknown key 'Umask'" in analyzed(tmp_path, "verify", *units).stderr


def test_a_fault_in_a_unit_of_another_package_is_not_ours(
    units: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The unit starts after postgresql.service, which systemd therefore reads and checks."""
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "postgresql.service").write_text("[Unit]\nNoSuchKey=1\n")
    monkeypatch.setenv("SYSTEMD_UNIT_PATH", f"{foreign}:")
    command = [program("systemd-analyze", package="systemd"), "verify", *units]
    found = subprocess.run(command, capture_output=True, text=True)
    assert "NoSuchKey" in found.stderr
    done = analyzed(tmp_path, "verify", *units)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_unit_is_hardened(units: list[Path], tmp_path: Path) -> None:
    limits = ["--no-pager", "--offline=true", f"--threshold={MOST_EXPOSED}"]
    done = analyzed(tmp_path, "security", *limits, units[0])
    assert done.returncode == 0, done.stdout


def test_the_hardened_command_notifies_systemd_when_it_is_ready(
    machine: Server, port: socket.socket, tmp_path: Path
) -> None:
    before = machine.files()
    with started(machine, port, tmp_path, filtered(machine.state)) as process:
        assert Path(f"/proc/{process.pid}").stat().st_uid != 0
        assert get(port, "/readyz") == 200
    assert process.returncode == 0
    assert machine.files() == before
    assert (machine.state / "authsvc.db").exists()


def test_a_restart_refuses_no_request(machine: Server, port: socket.socket, tmp_path: Path) -> None:
    answers: Counter[object] = Counter()
    over = threading.Event()

    def visit() -> None:
        while not over.wait(0.002):
            try:
                answers[get(port, "/healthz")] += 1
            except OSError as error:
                answers[repr(error)] += 1

    visitor = threading.Thread(target=visit)
    with started(machine, port, tmp_path):
        visitor.start()
    with started(machine, port, tmp_path):
        over.set()
        visitor.join()
    assert answers.keys() == {200}


def test_systemd_waits_longer_than_the_servers_graceful_timeout() -> None:
    assert int(value("TimeoutStopSec")) > process.GRACEFUL_SECONDS


def test_systemds_queue_is_as_long_as_the_servers() -> None:
    socket = (DEPLOY / "authsvc.socket").read_text()
    assert f"\nBacklog={process.BACKLOG}\n" in socket


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_the_operators_command_runs_as_the_services_user(machine: Server, tmp_path: Path) -> None:
    script = tmp_path / "authsvc"
    changes = {
        CODE: str(machine.code),
        "=authsvc": "=nobody",
        "--regid=nobody": "--regid=nogroup",
        "--inh-caps=-all": "--inh-caps=+dac_read_search --ambient-caps=+dac_read_search",
    }
    script.write_text(changed((DEPLOY / "authsvc").read_text(), changes))
    made = subprocess.run(
        ["sh", script, "users", "create", "alice@example.com"],
        input="a horse that is correct\n",
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
    )
    assert made.returncode == 0, made.stderr
    assert {path.owner() for path in machine.state.iterdir()} == {"nobody"}
