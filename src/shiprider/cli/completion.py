"""`shiprider completion`: the completion script of a shell, on standard output."""

import click


@click.command(
    epilog="Example: shiprider completion bash > ~/.local/share/bash-completion/completions/shiprider"
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print the completion script of SHELL."""
    from click.shell_completion import get_completion_class

    from shiprider.cli.main import cli

    completion_class = get_completion_class(shell)
    if completion_class is None:
        raise click.UsageError(f"There is no completion for {shell!r}: choose bash, zsh or fish.")
    click.echo(completion_class(cli, {}, "shiprider", "_SHIPRIDER_COMPLETE").source())
