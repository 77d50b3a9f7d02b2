"""`users factors` and `users reset-factors`: the second factors of an account."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from authsvc import clock
from authsvc.cli.shell import app_context, printable

if TYPE_CHECKING:
    from authsvc.admin.factors import AccountFactors, AuthenticatorApp, Removed
    from authsvc.factors.passkey_list import RegisteredPasskey


@click.command("factors")
@click.argument("email")
def show_factors(email: str) -> None:
    """List the second factors of EMAIL.

    Each is one line, with tabs between what it is, its name or number, and its times. No secret is
    shown.
    """
    from authsvc.admin.factors import factors_of
    from authsvc.admin.lookup import account_of

    with app_context():
        address, found = account_of(email).email, factors_of(email)
    for words in _lines(found):
        click.echo("\t".join(words))
    if not found.exist:
        click.echo(f"{address} has no second factor.")


@click.command("reset-factors")
@click.argument("email")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
def reset_factors(email: str, yes: bool) -> None:
    """Remove all second factors of EMAIL.

    This is for an owner who has lost them: first make sure that it is the owner who asks. The
    authenticator app, the recovery codes and the passkeys are removed, so the password is enough to
    log in. The owner gets a mail about it.

    The sessions stay. If another person may have the password or a device, revoke them, and let the
    owner set a new password:

    \b
    authsvc users reset-factors alice@example.com
    authsvc sessions revoke alice@example.com
    authsvc users reset alice@example.com
    """
    from authsvc.admin.factors import reset_factors as remove_factors
    from authsvc.admin.lookup import account_of

    with app_context():
        account = account_of(email)
        if not yes:
            question = f"Remove all second factors of {account.email} ({account.id})?"
            click.confirm(question, abort=True)
        removed = remove_factors(str(account.id))
    words = list(_words(removed))
    if not words:
        click.echo(f"{account.email} has no second factor: nothing was removed.")
        return
    click.echo(f"Removed from {account.email}: {', '.join(words)}.")
    at_once = f"authsvc sessions revoke {account.email}"
    click.echo(f"The sessions stay; to end them too: {at_once}", err=True)


def _lines(found: AccountFactors) -> Iterator[tuple[str, ...]]:
    if found.app is not None:
        yield from _app(found.app)
    if found.exist:
        yield "recovery codes", f"{found.codes_left} left"
    for passkey in found.passkeys:
        yield _passkey(passkey)


def _app(app: AuthenticatorApp) -> Iterator[tuple[str, ...]]:
    from authsvc.settings import PREFIX

    if app.confirmed_at is None:
        waits = f"waits for its first code since {clock.rfc3339(app.created_at)}"
        yield "authenticator app", f"{waits}, and does not count before"
        return
    secret = (
        "its secret can be decrypted"
        if app.can_be_decrypted
        else f"its secret cannot be decrypted, so its codes are refused: set {PREFIX}FACTOR_SECRET "
        "to the secret that encrypted it"
    )
    yield "authenticator app", f"since {clock.rfc3339(app.confirmed_at)}", secret


def _passkey(passkey: RegisteredPasskey) -> tuple[str, ...]:
    used = passkey.last_used_at
    return (
        "passkey",
        printable(passkey.name),
        f"created {clock.rfc3339(passkey.created_at)}",
        f"last used {clock.rfc3339(used)}" if used else "never used",
        "synced" if passkey.synced else "on one device",
    )


def _words(removed: Removed) -> Iterator[str]:
    if removed.apps:
        yield "the authenticator app"
    if removed.waiting_apps:
        yield "an authenticator app that waited for its first code"
    if removed.passkeys:
        yield f"{removed.passkeys} passkey{'' if removed.passkeys == 1 else 's'}"
    if removed.codes:
        yield f"{removed.codes} recovery code{'' if removed.codes == 1 else 's'}"
