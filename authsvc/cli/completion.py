"""`completion`: a shell's Tab key completes authsvc's commands."""

import click
from click.shell_completion import BashComplete, FishComplete, ShellComplete, ZshComplete

NAME = "authsvc"
VARIABLE = "_AUTHSVC_COMPLETE"
"""How the shell's script asks for completions, by whatever name the commands were called."""

SHELLS: dict[str, tuple[type[ShellComplete], str]] = {
    "bash": (BashComplete, """add to ~/.bashrc: eval "$(authsvc completion bash)\""""),
    "zsh": (ZshComplete, """add to ~/.zshrc, after compinit: eval "$(authsvc completion zsh)\""""),
    "fish": (FishComplete, "authsvc completion fish > ~/.config/fish/completions/authsvc.fish"),
}


@click.command()
@click.argument("shell", type=click.Choice(list(SHELLS)))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Let the Tab key complete commands.

    Prints a script, whose last line says how to keep it. To try it in bash:

    \b
    eval "$(authsvc completion bash)"
    """
    script, to_keep_it = SHELLS[shell]
    click.echo(script(context.find_root().command, {}, NAME, VARIABLE).source())
    click.echo(f"# To keep it: {to_keep_it}")
