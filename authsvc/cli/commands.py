"""A group of commands whose help lists all commands below it."""

from collections.abc import Iterator
from difflib import get_close_matches

import click

SIMILARITY = 0.75
"""How similar a word and a command must be for a suggestion, from 0 to 1."""

Row = tuple[str, str]


class Commands(click.Group):
    """A group that lists its commands, and those of its groups, in the order of their addition."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write a section for the plain commands, and one for each group under its own help."""
        plain: list[Row] = []
        sections = {"Commands": plain}
        for command in _shown(self):
            rows = plain
            if isinstance(command, click.Group) and not command.invoke_without_command:
                rows = sections[command.get_short_help_str().removesuffix(".")] = []
            else:
                rows.append(_row(ctx, command))
            if isinstance(command, click.Group):
                rows += [_row(ctx, below, f"{command.name} ") for below in _shown(command)]
        widest = max(len(usage) for rows in sections.values() for usage, _ in rows)
        for heading, rows in sections.items():
            if rows:
                with formatter.section(heading):
                    formatter.write_dl([(usage.ljust(widest), help) for usage, help in rows])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command; if there is none of that name, suggest similar ones."""
        try:
            return super().resolve_command(ctx, args)
        except click.NoSuchCommand as error:
            similar = [f"`{path}`" for path in self._similar(error.command_name)]
            hint = f" Did you mean {' or '.join(similar)}?" if similar else ""
            raise click.UsageError(f"{error.message}{hint}", ctx) from None

    def _similar(self, word: str) -> Iterator[str]:
        """Yield the commands that are similar to the word, those of subgroups included."""
        for name, command in self.commands.items():
            if get_close_matches(word, [name], cutoff=SIMILARITY):
                yield name
            elif isinstance(command, click.Group):
                for below in get_close_matches(word, command.commands, cutoff=SIMILARITY):
                    yield f"{name} {below}"


def _shown(group: click.Group) -> list[click.Command]:
    return [command for command in group.commands.values() if not command.hidden]


def _row(ctx: click.Context, command: click.Command, before: str = "") -> Row:
    """Return how a command is used, without options, and its help."""
    own = click.Context(command, ctx)
    arguments = [param for param in command.params if isinstance(param, click.Argument)]
    words = [str(command.name), *(argument.make_metavar(own) for argument in arguments)]
    return f"{before}{' '.join(words)}", command.get_short_help_str(limit=200)
