"""The command line: the Typer app and how errors reach the user. Commands are in zoo/commands."""

from __future__ import annotations

import sys
import traceback

import typer

from affinity_zoo.plugins.errors import AffinityZooError

app = typer.Typer(
    name="affinity-zoo",
    help="Train, judge and use 3D convolutional networks on protein-ligand complexes.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=True,
)


def _register() -> None:
    from affinity_zoo.zoo import commands

    for module in commands.MODULES:
        commands.load(module).register(app)


_register()


def main() -> None:
    """Run the command line; an error the user can act on is one sentence, never a traceback."""
    try:
        app()
    except AffinityZooError as error:
        typer.secho(f"error: {error}", fg=typer.colors.RED, err=True)
        sys.exit(error.exit_code)
    except Exception as error:
        from affinity_zoo.zoo.catalog import blame

        told = blame(error)
        if not told:
            raise
        traceback.print_exc()
        typer.secho(f"error: {told}", fg=typer.colors.RED, err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        typer.secho("stopped by the user", err=True)
        sys.exit(130)


if __name__ == "__main__":
    main()
