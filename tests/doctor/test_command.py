"""`authsvc doctor` as a process, on a machine without the service's settings."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.doctor.conftest import ALICE, Doctor, Front, live_sessions
from tests.doctor.front import Answer, Forward, Request
from tests.support.running_service import ROOT
from tests.support.terminal import at_terminal


def environment(certificate: Path) -> dict[str, str]:
    """Return an environment without settings."""
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "SSL_CERT_FILE": str(certificate),
        "TERM": "xterm",
    }


def test_doctor_needs_no_settings_and_writes_no_file(
    behind: Front, certificate: Path, tmp_path: Path
) -> None:
    with behind() as url:
        done = subprocess.run(
            [sys.executable, "-m", "authsvc", "doctor", url, "--email", ALICE["email"], "--json"],
            input=ALICE["password"] + "\n",
            env=environment(certificate),
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["verdicts"]["failed"] == 0
    assert done.stderr == ""
    assert list(tmp_path.iterdir()) == []


def test_a_terminal_prompts_for_the_password_once_and_shows_colours(
    behind: Front, certificate: Path, tmp_path: Path
) -> None:
    account = ("--email", ALICE["email"])
    env = environment(certificate)
    with behind() as url, at_terminal("doctor", url, *account, env=env, cwd=tmp_path) as terminal:
        terminal.wait_for("Password:")
        terminal.type(ALICE["password"])
        terminal.wait_for("0 failed")
        assert terminal.exit_code() == 0
    assert b"Repeat" not in terminal.shown
    assert b"\x1b[32m" in terminal.shown
    assert ALICE["password"].encode() not in terminal.shown


def reset_interrupts() -> None:
    """Handle SIGINT as at a terminal: a shell's background processes ignore it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_ctrl_c_ends_the_doctor_and_its_session(
    behind: Front, certificate: Path, tmp_path: Path, service_database: str
) -> None:
    before = live_sessions(service_database)
    running: list[subprocess.Popen[str]] = []

    def interrupting(request: Request, forward: Forward) -> Answer:
        if request.path == "/api/me/sessions" and request.method == "GET":
            running[0].send_signal(signal.SIGINT)
        return forward(request)

    with behind(interrupting) as url:
        words = [sys.executable, "-m", "authsvc", "doctor", url, "--email", ALICE["email"]]
        running.append(
            subprocess.Popen(
                words,
                env=environment(certificate),
                cwd=tmp_path,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                preexec_fn=reset_interrupts,
            )
        )
        stdout, stderr = running[0].communicate(ALICE["password"] + "\n", timeout=60)
    assert running[0].returncode == 1
    assert (stdout, stderr.strip()) == ("", "Aborted!")
    assert live_sessions(service_database) == before


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["auth.example.com"],
        ["ftp://auth.example.com"],
        ["https://"],
        ["https://auth.example.com:0x50"],
        ["https://alice@auth.example.com"],
        ["https://auth.example.com/?a=b"],
        ["https://auth.example.com/#a"],
        ["https://[::1"],
        ["https://bücher.example"],
        ["https://auth.example.com/\x1b[2J"],
        ["https://auth.example.com", "--origin", "app.example.com"],
        ["https://auth.example.com", "--origin", "https://app.example.com/"],
        ["https://auth.example.com", "--password", ALICE["password"]],
    ],
)
def test_invalid_arguments_exit_2_with_an_explanation(doctor: Doctor, words: list[str]) -> None:
    result = doctor(*words)
    assert result.exit_code == 2
    assert "Error: " in result.stderr
    assert "\x1b" not in result.stderr
    assert result.stdout == ""


def test_the_output_holds_no_secret(behind: Front, doctor: Doctor) -> None:
    signatures: list[str] = []

    def listening(request: Request, forward: Forward) -> Answer:
        answer = forward(request)
        if request.path in ("/auth/login", "/auth/refresh") and answer.status == 200:
            tokens = [json.loads(answer.body)["access_token"], answer.header("Set-Cookie") or ""]
            signatures.extend(one.partition(";")[0].split(".")[-1] for one in tokens if one)
        return answer

    with behind(listening) as url:
        for words in (["--json"], []):
            output = doctor(url, "--email", ALICE["email"], *words).output
            assert not [signature for signature in signatures if signature in output]
            assert ALICE["password"] not in output
    assert len(signatures) == 20  # two runs: both tokens at three logins, and four refreshes
