"""The options of `authsvc serve --server granian`."""

from collections.abc import Callable
from functools import partial
from importlib.util import find_spec

import click

_OPTIONS = "granian has the options --workers, --threads and --bind. See docs/granian.md."


def granian_with(app: str, words: tuple[str, ...]) -> Callable[[], None]:
    """Return what serves an app by granian.

    Args:
        app: ``module:variable``.
        words: the options, as the operator wrote them.

    Raises:
        click.ClickException: granian is not installed, or an option is wrong.
    """
    if "--reload" in words:
        raise click.UsageError(
            "--reload works with gunicorn alone: leave out --server granian while you develop."
        )
    if find_spec("granian") is None:
        raise click.ClickException("granian is not installed: install the extra authsvc[granian].")
    try:
        parsed = _granian.make_context("authsvc serve --server granian", list(words)).params
    except (click.NoSuchOption, click.UsageError) as error:
        raise click.UsageError(f"{error.format_message()} {_OPTIONS}") from None
    # Imported here: it prepares nothing that gunicorn could use.
    from authsvc.server.granian.command import serve

    return partial(serve, app, **parsed)


@click.command(add_help_option=False)
@click.option("--workers", "-w", type=click.IntRange(min=1))
@click.option("--threads", type=click.IntRange(min=1))
@click.option("--bind", "-b")
def _granian(**options: object) -> None:
    """Only parsed."""
