"""What commands say about links: that one is mailed, or the link itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from authsvc.admin.links import Kind


def say_mailed(what: str) -> None:
    """Print that a link is mailed, and to standard error what sends it."""
    click.echo(what)
    click.echo("The running service sends it, and so does `authsvc mail send --once`.", err=True)


def show_link(url: str, kind: Kind) -> None:
    """Print a link, and to standard error who may have it and for how long it works."""
    from authsvc.admin.links import LIFE

    life = LIFE[kind]
    time = f"{life.days} days" if life.days else f"{life.seconds // 60} minutes"
    click.echo(url)
    void = " Older links of the account are void." if kind == "reset" else ""
    click.echo(f"The link works once, for {time}.{void}", err=True)
    click.echo("Give it to the owner of the account only: it opens the account.", err=True)
