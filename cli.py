"""The command line: the Typer app and the presentation of errors. Commands are in zoo/commands."""

from __future__ import annotations

import sys
import traceback
from io import TextIOWrapper

import typer

from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.commands.command import use_everywhere
from affinity_zoo.zoo.commands.spelling import as_flags
from affinity_zoo.zoo.runtime import terminal

app = typer.Typer(
    name="affinity-zoo",
    help="Train, evaluate and use 3D convolutional networks for protein-ligand complexes.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=True,
)


def _register() -> None:
    from affinity_zoo.zoo import commands

    for module in commands.MODULES:
        commands.load(module).register(app)
    use_everywhere(app)


_register()


def main() -> None:
    """Run the command line; an expected error is shown as one sentence, without a traceback."""
    # results tell how to make them again: with `python -m affinity_zoo.cli` too
    sys.argv[0] = "affinity-zoo"
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # an Å that the terminal cannot show is no reason to stop
            stream.reconfigure(errors="replace")
    with terminal.spelled(lambda line: as_flags(line, app, sys.argv[1:])):
        sys.exit(_run())


def _run() -> int:
    """Run a command; what it fails with is printed, and its exit code returned."""
    try:
        app()
    except AffinityZooError as error:
        terminal.error(str(error))
        return error.exit_code
    except KeyboardInterrupt:
        terminal.note("stopped by the user")
        return 130
    except Exception as error:
        from affinity_zoo.zoo.catalog.registry import blame

        told = blame(error)
        if told:
            traceback.print_exc()
        elif isinstance(error, OSError) and error.filename is not None:
            # the user's disk, permissions or paths: what the system says is the cause
            told = f"{error.filename}: {error.strerror}; change the path, or move what is there"
        else:
            raise
        terminal.error(told)
        return 1
    return 0


if __name__ == "__main__":
    main()
