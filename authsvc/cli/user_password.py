"""`users reset` and `users set-password`: a new password for an account."""

import click

from authsvc.cli.links import say_mailed, show_link
from authsvc.cli.shell import app_context, new_password


@click.command("reset")
@click.argument("email")
@click.option("--print", "printed", is_flag=True, help="Print the link instead of mailing it.")
def reset_password(email: str, printed: bool) -> None:
    """Let EMAIL set a new password by a link.

    The link is mailed, works once and for 30 minutes. Older links of the account stop working.
    You do not get to know the password; the old one and the sessions stay until the link is used.

    With --print, give the link to its owner yourself, such as by telephone or chat. Using it
    counts as proof of the address, as if it had been mailed.

    \b
    authsvc users reset alice@example.com
    authsvc users reset alice@example.com --print
    """
    from authsvc.admin import reset

    with app_context():
        if printed:
            show_link(reset.reset_url(email), "reset")
        else:
            say_mailed(f"A link for a new password goes to {reset.mail_reset(email)}.")


@click.command("set-password")
@click.argument("email")
def set_password(email: str) -> None:
    """Set a new password, which you then know.

    This is for scripts, and for services that send no mail. Prefer `users reset`: it lets the
    owner choose the password. This command revokes all sessions, and voids links for a new
    password or address. The owner gets a mail about it.

    On a terminal, the command asks for the password; otherwise it reads one line of standard
    input.
    """
    from authsvc import admin

    with app_context():
        admin.set_password(email, new_password())
    click.echo(f"{email} has a new password, and all sessions are revoked.")
