"""`doctor`: examine a deployment from outside."""

import click

from authsvc.cli.shell import password


class CannotBeReached(click.ClickException):
    """The service cannot be reached."""

    exit_code = 2


@click.command()
@click.argument("url")
@click.option("--origin", help="The single-page app's origin, such as https://app.example.com.")
@click.option("--email", help="A test account's address, for the checks that need a session.")
@click.option("--limits", is_flag=True, help="Also send wrong logins until they are refused.")
@click.option("--json", "for_programs", is_flag=True, help="Print JSON instead of the table.")
def doctor(
    url: str, origin: str | None, email: str | None, limits: bool, for_programs: bool
) -> None:
    """Examine a deployment from outside.

    Sends the requests of a browser. Needs no settings and no database, and works from any
    machine. With --email, prompts for the account's password, or reads it from standard input if
    that is not a terminal. Logs out of every session that it opens.

    Exits with 0 if no check failed, 1 if one did, 2 if the service cannot be reached.
    """
    from authsvc.doctor.deployment import Account
    from authsvc.doctor.examination import examine
    from authsvc.doctor.http_client import NoResponse
    from authsvc.doctor.report import as_json, as_table, exit_code
    from authsvc.doctor.target import target_of
    from authsvc.origins import exact_origin

    try:
        target = target_of(url)
        origin = exact_origin(origin) if origin else None
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    account = Account(email, password()) if email else None
    try:
        rows = examine(target, origin=origin, account=account, try_limits=limits)
    except NoResponse as error:
        raise CannotBeReached(f"{url}: {error}.") from None
    if for_programs:
        click.echo(as_json(target, origin, rows))
    else:
        for line in as_table(rows):
            click.echo(line)
    raise SystemExit(exit_code(rows))
