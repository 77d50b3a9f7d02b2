"""The help of the commands, and the errors for wrong command lines."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from authsvc.cli import main
from authsvc.cli.commands import Commands
from tests.cli.test_cli import here, run
from tests.support.running_service import environment, new_database

__all__ = ["here"]  # the fixture


def every_command(group: click.Group, *words: str) -> Iterator[tuple[str, ...]]:
    """Yield the words of each command, groups included."""
    yield words
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from every_command(command, *words, name)
        else:
            yield (*words, name)


def can_be_run(words: tuple[str, ...]) -> bool:
    command: click.Command = main
    for word in words:
        assert isinstance(command, click.Group)
        command = command.commands[word]
    return not isinstance(command, click.Group) or command.invoke_without_command


def test_help_has_exactly_one_line_for_each_command() -> None:
    listed = run("--help").stdout.partition("Commands:\n")[2].splitlines()
    rows = [line.strip() for line in listed if line.startswith("  ")]
    runnable = [" ".join(words) for words in every_command(main) if can_be_run(words)]
    assert sorted(re.split(r" (?=[ A-Z[{])", row)[0] for row in rows) == sorted(runnable)
    assert [row for row in rows if not row.endswith(".")] == []


def test_an_added_command_is_listed_in_its_group() -> None:
    @click.group(cls=Commands)
    def top() -> None: ...

    @top.group()
    def ships() -> None:
        """Ships."""

    @ships.command()
    @click.argument("name")
    def launch(name: str) -> None:
        """Send NAME to sea."""

    shown = top.get_help(click.Context(top))
    assert re.search(r"\n\nShips:\n  ships launch NAME +Send NAME to sea\.$", shown)


@pytest.mark.parametrize("words", list(every_command(main)), ids=" ".join)
def test_each_command_has_help(words: tuple[str, ...]) -> None:
    for flag in ("--help", "-h"):
        result = run(*words, flag)
        assert result.exit_code == 0
        assert result.stdout.startswith(f"Usage: {' '.join(['authsvc', *words])} [")
        assert "\n  " in result.stdout.split("Options:")[0].strip()


WRONG = [
    ("secret", "No such command 'secret'. Did you mean `secrets`?"),
    ("user list", "No such command 'user'. Did you mean `users`?"),
    ("list", "No such command 'list'. Did you mean `users list` or `sessions list`?"),
    ("users craete a", "No such command 'craete'. Did you mean `create`?"),
    ("xyzzy", "No such command 'xyzzy'."),
    ("users create", "Missing argument 'EMAIL'."),
    ("users list extra", "Got unexpected extra argument (extra)"),
    ("sessions revoke", "Give either an e-mail address or --all."),
    ("sessions revoke alice --all", "Give either an e-mail address or --all."),
    ("db copy authsvc.db other.db", "Invalid value for 'FROM': it must be a database URL such as"),
    ("db copy sqlite:///a postgres", "Invalid value for 'TO': it must be a database URL such as"),
]


@pytest.mark.parametrize(("line", "said"), WRONG)
def test_a_wrong_command_line_is_refused_with_a_suggestion(line: str, said: str) -> None:
    result = run(*line.split())
    assert result.exit_code == 2
    assert re.search(r"Try 'authsvc.* --help' for help\.", result.stderr)
    assert f"\nError: {said}" in result.stderr


def test_in_another_folder_the_error_names_the_missing_settings_file(here: Path) -> None:
    missing = f"There is no {here}/instance/authsvc.env: go to the service's folder"
    assert missing in run("users", "list").stderr
    run("init")
    (here / "instance" / "authsvc.env").write_text("AUTHSVC_ACCESS_TOKEN_TTL=1\n")
    assert "There is no" not in run("users", "list").stderr


def test_serve_in_another_folder_says_where_the_settings_are_missing(here: Path) -> None:
    result = run("serve")
    assert result.exit_code == 1
    assert f"There is no {here}/instance/authsvc.env: go to the service's folder" in result.stderr


def test_an_unknown_address_is_refused_with_the_command_that_lists_accounts(here: Path) -> None:
    url = new_database(here)
    result = run("users", "disable", "unknown@example.com", **environment(url))
    assert result.exit_code == 1
    assert "There is no account with this e-mail address." in result.stderr
    assert "users list" in result.stderr
