"""Commands: a group whose help is the map of all that is below it."""

from collections.abc import Iterator
from difflib import get_close_matches

import click

ALIKE = 0.75
"""How much a word must resemble a command to be taken for it, from 0 to 1."""


class Commands(click.Group):
    """A group that lists its commands in the order in which they were added, and groups' too.

    What is on the map is what was added: there is no second list.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """A section for the plain commands, and one for each group, headed by what it is for."""
        plain = [one for one in _shown(self) if _runs(one)]
        sections = [("Commands", plain, "")]
        for group in _shown(self):
            if isinstance(group, click.Group):
                heading = group.get_short_help_str().removesuffix(".")
                sections.append((heading, _shown(group), f"{group.name} "))
        rows = [[_row(ctx, command, before) for command in some] for _, some, before in sections]
        widest = max(len(usage) for section in rows for usage, _ in section)
        for (heading, _, _), section in zip(sections, rows, strict=True):
            if section:
                with formatter.section(heading):
                    formatter.write_dl([(usage.ljust(widest), told) for usage, told in section])

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


def _words(ctx: click.Context, command: click.Command) -> list[str]:
    return command.collect_usage_pieces(click.Context(command, ctx))[1:]


def _shown(group: click.Group) -> list[click.Command]:
    return [command for command in group.commands.values() if not command.hidden]


def _runs(command: click.Command) -> bool:
    """Whether it does something by itself."""
    return not isinstance(command, click.Group) or command.invoke_without_command


def _row(ctx: click.Context, command: click.Command, before: str) -> tuple[str, str]:
    """How a command is called, without its options, and what it does."""
    takes = [] if isinstance(command, click.Group) else _words(ctx, command)
    return before + " ".join([str(command.name), *takes]), command.get_short_help_str(limit=200)
