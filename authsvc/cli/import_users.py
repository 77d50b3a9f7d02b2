"""`users import`: accounts from another system."""

from __future__ import annotations

import sys
from typing import IO, TYPE_CHECKING

import click

from authsvc.cli.shell import app_context

if TYPE_CHECKING:
    from authsvc.admin.import_accounts import Imported


@click.command("import")
@click.argument("file", type=click.File("rb"))
def import_users(file: IO[bytes]) -> None:
    """Import accounts with password hashes from FILE.

    FILE is UTF-8: JSON lines, or CSV with a header; - is standard input. Each line is an account
    with these fields:

    \b
    email       the address
    hash        argon2, bcrypt, SHA512-crypt ($6$), or of Django, passlib or werkzeug
    created_at  optional, such as 2026-11-24T10:57:00Z; by default now
    roles       optional: a JSON list, or names with spaces between
    verified    optional, true or false; true sets email_verified_at to now

    A line that is wrong is reported and left out; an address that has an account is reported, and
    the account stays as it is. Each 500 lines are one transaction. After an interruption, import
    the same file again. The exit status is 1 if a line was refused.

    \b
    authsvc users import accounts.jsonl
    """
    from authsvc.admin.import_accounts import import_accounts
    from authsvc.users.import_lines import NotAnImport

    imported, existing, refused = 0, 0, 0
    with app_context():
        try:
            for batch in import_accounts(file):
                _report(batch)
                imported += batch.accounts
                existing += len(batch.existing)
                refused += len(batch.refused)
                click.echo(f"\r{imported} imported ...", nl=False, err=True)
        except NotAnImport as error:
            raise click.ClickException(str(error)) from None
    click.echo(err=True)
    click.echo(f"{imported} accounts are imported, {existing} exist already, {refused} refused.")
    if refused:
        sys.exit(1)


def _report(batch: Imported) -> None:
    for line in batch.existing:
        click.echo(f"\rline {line}: the address has an account already", err=True)
    for wrong in batch.refused:
        click.echo(f"\rline {wrong.line}: {wrong.why}", err=True)
