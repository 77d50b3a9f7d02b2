"""`users create`: an account with a password, or with an invitation to set one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from authsvc.cli.links import say_mailed, show_link
from authsvc.cli.shell import app_context, new_password, password_or_nothing
from authsvc.locales import is_locale

if TYPE_CHECKING:
    from authsvc.users.accounts import Account


def _checked_locale(context: object, option: object, locale: str | None) -> str | None:
    if locale is not None and not is_locale(locale):
        raise click.BadParameter("it must be a language tag, such as en or pt-BR")
    return locale


@click.command("create")
@click.argument("email")
@click.option("--invite", "invited", is_flag=True, help="Mail a link to set the password.")
@click.option("--print", "printed", is_flag=True, help="Print that link instead of mailing it.")
@click.option(
    "--locale", metavar="TAG", callback=_checked_locale, help="The language of the mails: pt-BR."
)
def create_user(email: str, invited: bool, printed: bool, locale: str | None) -> None:
    """Create an account for EMAIL.

    On a terminal, the command asks for the password; otherwise it reads one line of standard
    input. A password is never an argument, where other users of the machine could see it.

    If the service sends mail and no password is given, the person gets an invitation: a link that
    works once and for 7 days, with which they set the password. After that time, `users reset`
    sends another link. With --print, give the link to the person yourself; using it counts as
    proof of the address, as if it had been mailed.

    \b
    authsvc users create alice@example.com
    authsvc users create alice@example.com < password
    authsvc users create alice@example.com --invite
    authsvc users create alice@example.com --print
    """
    from authsvc import admin
    from authsvc.admin import invite

    with app_context():
        password = "" if invited or printed else _ask()
        if password:
            _say_created(admin.register(email, password, locale))
        elif printed:
            account, url = invite.invitation_url(email, locale)
            click.echo(f"The account of {account.email} is created (id {account.id}).", err=True)
            show_link(url, "invitation")
        else:
            account = invite.invite(email, locale)
            say_mailed(f"An invitation goes to {account.email} (id {account.id}).")


def _ask() -> str:
    """Return the password; empty for an invitation, where there are any."""
    from authsvc.admin.links import MAIL_SETTINGS, can_make_links

    if can_make_links():
        return password_or_nothing("Password (leave it empty to mail an invitation)")
    if password := new_password():
        return password
    raise click.ClickException(
        f"The password is empty. Give one; or set {MAIL_SETTINGS}, so that an empty password "
        "sends an invitation."
    )


def _say_created(account: Account) -> None:
    from authsvc.settings import Settings
    from authsvc.web import registry

    if registry.get(Settings).verification == "required":
        who = f"{account.email} (id {account.id})"
        say_mailed(f"{who} can log in after opening the link that is mailed there.")
        click.echo(f"Without it: authsvc users verify {account.email}", err=True)
    else:
        click.echo(f"{account.email} can log in now (id {account.id}).")
