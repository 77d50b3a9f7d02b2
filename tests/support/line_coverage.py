"""A plugin of pytest, `-p tests.support.line_coverage`: the run fails unless it executes every line
and every branch of the rooms where a mistake could open an account to a stranger.

SlipCover marks the code when it is imported, and removes the marks of what was executed.
coverage.py traces every line instead, with which the tests took half as long again.
"""

import json
from typing import Any

import pytest

ROOMS = ("audit", "auth", "factors", "guard", "mail", "ratelimit", "sessions", "tokens")
SOURCES = [f"authsvc/{room}" for room in ROOMS]

_EXECUTED = "authsvc.executed"


class LineCoverage:
    """Measures this process, and adds what the processes of pytest-xdist have measured."""

    def __init__(self) -> None:
        # Imported here, after pytest has imported SlipCover's own plugin.
        import slipcover

        self._merge, self._print = slipcover.merge_coverage, slipcover.print_coverage
        self._own = slipcover.Slipcover(branch=True, source=SOURCES)
        self._of_workers: list[dict[str, Any]] = []
        matcher = slipcover.FileMatcher(sources=SOURCES)
        slipcover.ImportManager(self._own, matcher).__enter__()

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Keep what a process of pytest-xdist has measured, which has ended."""
        if executed := getattr(node, "workeroutput", {}).get(_EXECUTED):
            self._of_workers.append(json.loads(executed))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Hand over what was measured or, in the first process, fail the run if anything misses."""
        executed = self._own.get_coverage()
        if hasattr(session.config, "workeroutput"):
            session.config.workeroutput[_EXECUTED] = json.dumps(executed)
            return
        for of_worker in self._of_workers:
            self._merge(executed, of_worker)
        self._all = executed
        if session.exitstatus == pytest.ExitCode.OK and self._misses():
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        terminalreporter.section(f"coverage of {', '.join(ROOMS)}")
        if self._misses():
            self._print(self._all, skip_covered=True)
        else:
            terminalreporter.write_line("every line and every branch")

    def _misses(self) -> bool:
        total = self._all["summary"]
        return bool(total["missing_lines"] or total["missing_branches"])


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Begin before the service is imported."""
    early_config.pluginmanager.register(LineCoverage())


def is_mark_of_coverage(function: object) -> bool:
    """Return whether the function is a mark that SlipCover has put into the code."""
    return getattr(function, "__module__", None) == "slipcover.probe"
