"""`keys`: generate the private key that signs access tokens, in place of a shared secret."""

from typing import get_args

import click

from authsvc.cli.commands import Commands
from authsvc.tokens.algorithms import Algorithm


@click.group(cls=Commands)
def keys() -> None:
    """Private keys for access tokens."""


@keys.command("generate")
@click.option(
    "--algorithm",
    type=click.Choice(get_args(Algorithm)),
    default="ES256",
    show_default=True,
    help="ES256 (P-256), which nearly every JWT library verifies, or EdDSA (Ed25519).",
)
def generate(algorithm: Algorithm) -> None:
    """Print a new private key for the settings.

    Prints two lines for an environment file, and stores nothing: add them to the service's
    environment. The service publishes the public key at /.well-known/jwks.json.
    """
    from authsvc.settings import PREFIX
    from authsvc.tokens.key_pairs import generate_pem

    pem = generate_pem(algorithm).strip().replace("\n", "\\n")
    click.echo(f"{PREFIX}ACCESS_TOKEN_ALGORITHM={algorithm}")
    click.echo(f'{PREFIX}ACCESS_TOKEN_PRIVATE_KEY="{pem}"')
