"""`login`: log in to a service as a client would, and show each request and its response."""

import click

from authsvc.cli.doctor import CannotBeReached
from authsvc.cli.shell import password


@click.command()
@click.argument("url")
@click.argument("email")
@click.option("--bound", is_flag=True, help="Bind the session to a new key (DPoP, RFC 9449).")
@click.option("--code", help="The code of the authenticator app.")
@click.option("--recovery-code", help="A recovery code, which then does not work again.")
def login(url: str, email: str, bound: bool, code: str | None, recovery_code: str | None) -> None:
    """Log in, refresh and log out, to try a service.

    Shows each request and its response; of tokens only the beginning. Prompts for the password, or
    reads it from standard input if that is not a terminal. If the account has a second factor, it
    then asks for a code, or reads it from the next line. With --bound it makes a key, which it
    forgets, and shows that the cookie alone is refused. Needs no settings and no database.

    Exits with 0 if every response was the expected one, 1 if one was not, 2 if the service cannot
    be reached.
    """
    from authsvc.cli.trial import Trial
    from authsvc.doctor.http_client import HttpClient, NoResponse
    from authsvc.doctor.proofs import Key
    from authsvc.doctor.target import target_of
    from authsvc.doctor.tls import examine_transport

    try:
        target = target_of(url)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    if code and recovery_code:
        raise click.UsageError("Give either --code or --recovery-code.")
    factor = {"code": code} if code else {"recovery_code": recovery_code} if recovery_code else {}
    typed = password()
    try:
        transport = examine_transport(target)
        if not transport.private:
            raise click.ClickException(f"The password was not sent: {transport.finding.found}.")
        trial = Trial(HttpClient(target, transport.context), Key() if bound else None)
        trial.run({"email": email, "password": typed}, factor)
    except NoResponse as error:
        raise CannotBeReached(f"{url}: {error}.") from None
