"""AUTHSVC_LOG_LEVEL: what is logged at each level."""

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.support.running_service import new_database, serving

PROBES = {"/healthz", "/readyz"}


def lines_at(level: str | None, folder: Path) -> list[dict[str, Any]]:
    """Send a few requests to a service with this level, and return the lines of its log."""
    settings = {"log_level": level} if level else {}
    with serving(new_database(folder), folder / "log", workers=1, **settings) as service:
        for path in ("/healthz", "/readyz", "/auth/nothing"):
            with service.connected() as connection:
                connection.request("GET", path)
                connection.getresponse().read()
        service.kill(signal.SIGTERM)
    return [json.loads(line) for line in service.output.read_text().splitlines()]


def paths(lines: list[dict[str, Any]]) -> set[str]:
    return {line["path"] for line in lines if line["event"] == "request"}


def test_probes_are_logged_at_debug_and_other_requests_at_info(tmp_path: Path) -> None:
    lines = lines_at("debug", tmp_path)
    assert paths(lines) == PROBES | {"/auth/nothing"}
    levels = {line["path"]: line["level"] for line in lines if line["event"] == "request"}
    assert levels == {"/healthz": "debug", "/readyz": "debug", "/auth/nothing": "info"}


@pytest.mark.parametrize("level", [None, "info"])
def test_probes_are_not_logged_by_default(tmp_path: Path, level: str | None) -> None:
    lines = lines_at(level, tmp_path)
    assert paths(lines) == {"/auth/nothing"}
    assert "Starting gunicorn" in lines[0]["event"]


@pytest.mark.parametrize("level", ["warning", "error"])
def test_a_quiet_service_logs_neither_its_boot_nor_requests(tmp_path: Path, level: str) -> None:
    assert lines_at(level, tmp_path) == []
