"""`users reencrypt-factors`: after a new AUTHSVC_FACTOR_SECRET."""

import sys

import click

from authsvc.cli.shell import app_context


@click.command("reencrypt-factors")
def reencrypt_factors() -> None:
    """Encrypt all TOTP secrets under the new secret.

    This is the last step of a rotation of AUTHSVC_FACTOR_SECRET. It ends no session. Before it, set
    AUTHSVC_FACTOR_SECRET_PREVIOUS to the old secret and AUTHSVC_FACTOR_SECRET to a new one, and
    restart every worker. After it, unset AUTHSVC_FACTOR_SECRET_PREVIOUS.

    Secrets that cannot be decrypted stay as they are. The exit status is 1 then. You can run the
    command again at any time.
    """
    from authsvc.admin.reencrypt_factors import encrypt_again

    done, lost = 0, 0
    with app_context():
        for page in encrypt_again():
            done += page.secrets
            lost += len(page.lost)
            for email in page.lost:
                click.echo(f"\r{email}: the secret cannot be decrypted", err=True)
            click.echo(f"\r{done} encrypted ...", nl=False, err=True)
    click.echo(err=True)
    _report(done, lost)


def _report(done: int, lost: int) -> None:
    from authsvc.settings import PREFIX

    click.echo(f"Secrets encrypted under {PREFIX}FACTOR_SECRET: {done}.")
    if not lost:
        click.echo(f"{PREFIX}FACTOR_SECRET_PREVIOUS is not needed any more.", err=True)
        return
    click.echo(
        f"Secrets that cannot be decrypted: {lost}. Neither {PREFIX}FACTOR_SECRET nor "
        f"{PREFIX}FACTOR_SECRET_PREVIOUS is what encrypted them. Set the latter to it and run this "
        "again, or let the owners log in by a recovery code or a passkey and set up their apps "
        "anew.",
        err=True,
    )
    sys.exit(1)
