"""`users grant` and `users revoke`: the roles of an account."""

import click

from authsvc import roles
from authsvc.cli.shell import app_context


@click.command("grant")
@click.argument("email")
@click.argument("role", nargs=-1, required=True)
def grant_roles(email: str, role: tuple[str, ...]) -> None:
    """Grant roles to EMAIL.

    They take effect at the next refresh. A role of AUTHSVC_AAL2_ROLES takes effect only in sessions
    with a second factor.

    \b
    authsvc users grant alice@example.com admin
    """
    from authsvc import admin
    from authsvc.admin.factors import factors_of
    from authsvc.settings import PREFIX, Settings
    from authsvc.web import registry

    with app_context():
        _show_roles(email, admin.grant(email, role))
        needing = [name for name in role if name in registry.get(Settings).aal2_roles]
        if needing and not factors_of(email).exist:
            click.echo(
                f"{roles.join(tuple(needing))}: this needs two factors ({PREFIX}AAL2_ROLES), and "
                "the account has no second factor yet. Until then, its tokens do not have it.",
                err=True,
            )


@click.command("revoke")
@click.argument("email")
@click.argument("role", nargs=-1, required=True)
def revoke_roles(email: str, role: tuple[str, ...]) -> None:
    """Take roles away from EMAIL.

    This takes effect at the next refresh. For effect at once, revoke the sessions too:

    \b
    authsvc users revoke alice@example.com admin
    authsvc sessions revoke alice@example.com
    """
    from authsvc import admin

    with app_context():
        _show_roles(email, admin.withdraw(email, role))


def _show_roles(email: str, now: roles.Roles) -> None:
    click.echo(f"{email} has {f'the roles {roles.join(now)}' if now else 'no roles'} now.")
    at_once = f"authsvc sessions revoke {email}"
    click.echo(f"This takes effect at the next refresh; for effect at once: {at_once}", err=True)
