"""Commands: a group whose help is the map of all that is below it."""

from collections.abc import Iterator
from difflib import get_close_matches

import click

ALIKE = 0.75
"""How much a word must resemble a command to be taken for it, from 0 to 1."""

Row = tuple[str, str]


class Commands(click.Group):
    """A group that lists its commands in the order in which they were added, and groups' too.

    What is on the map is what was added: there is no second list.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """A section for the plain commands, and one for each group, headed by what it is for."""
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
                    formatter.write_dl([(usage.ljust(widest), told) for usage, told in rows])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command; for one that is not there, name those that may have been meant."""
        try:
            return super().resolve_command(ctx, args)
        except click.NoSuchCommand as error:
            meant = [f"`{path}`" for path in self._like(error.command_name)]
            hint = f" Did you mean {' or '.join(meant)}?" if meant else ""
            raise click.UsageError(f"{error.message}{hint}", ctx) from None

    def _like(self, word: str) -> Iterator[str]:
        """The commands that the word resembles, of the groups here too."""
        for name, command in self.commands.items():
            if get_close_matches(word, [name], cutoff=ALIKE):
                yield name
            elif isinstance(command, click.Group):
                for below in get_close_matches(word, command.commands, cutoff=ALIKE):
                    yield f"{name} {below}"


def _shown(group: click.Group) -> list[click.Command]:
    return [command for command in group.commands.values() if not command.hidden]


def _row(ctx: click.Context, command: click.Command, before: str = "") -> Row:
    """How a command is called, without its options, and what it does."""
    own = click.Context(command, ctx)
    takes = [one.make_metavar(own) for one in command.params if isinstance(one, click.Argument)]
    return f"{before}{' '.join([str(command.name), *takes])}", command.get_short_help_str(limit=200)
