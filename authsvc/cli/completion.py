"""`completion`: complete authsvc's commands with a shell's Tab key."""

import click
from click.shell_completion import BashComplete, FishComplete, ShellComplete, ZshComplete

NAME = "authsvc"
VARIABLE = "_AUTHSVC_COMPLETE"
"""The variable by which the shell's script requests completions; the same for each program name."""

SHELLS: dict[str, tuple[type[ShellComplete], str]] = {
    "bash": (BashComplete, """add to ~/.bashrc: eval "$(authsvc completion bash)\""""),
    "zsh": (ZshComplete, """add to ~/.zshrc, after compinit: eval "$(authsvc completion zsh)\""""),
    "fish": (FishComplete, "authsvc completion fish > ~/.config/fish/completions/authsvc.fish"),
}


@click.command()
@click.argument("shell", type=click.Choice(list(SHELLS)))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Complete commands with the Tab key.

    Prints a script; its last line says how to install it. To try it in bash:

    \b
    eval "$(authsvc completion bash)"
    """
    script, install = SHELLS[shell]
    click.echo(script(context.find_root().command, {}, NAME, VARIABLE).source())
    click.echo(f"# To install it: {install}")
