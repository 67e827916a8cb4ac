"""Record the session in docs/demo.md again: run each of its commands, and put what it prints below it.

    python benchmarks/record_session.py FOLDER [--page docs/demo.md] [--install]

FOLDER: an empty or new folder that the commands run in. With --install, the package is installed from this checkout
into an empty environment there, which is timed and recorded, and the commands are those of that environment. The next
block is the output of `affinity-zoo demo`; the others begin with `$ affinity-zoo ...` and end with the time of the
command. Commands are kept, unless they name a model that is not shipped any more: then they name its successor.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from affinity_zoo.zoo import shipped

HERE = Path(__file__).parent
BEGIN, END = "<!-- demo output: begin -->", "<!-- demo output: end -->"
INSTALL_BEGIN, INSTALL_END = "<!-- install output: begin -->", "<!-- install output: end -->"
BLOCK = re.compile(r"```text\n\$ affinity-zoo (.*?)\n.*?```", re.DOTALL)
ENVIRONMENT = "env"  #: folder of the environment of --install
PLUGIN = HERE.parent / "examples" / "single_file" / "polar_and_apolar.py"


def main() -> None:
    """Record all blocks of the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--page", type=Path, default=HERE.parent / "docs" / "demo.md")
    parser.add_argument("--install", action="store_true")
    given = parser.parse_args()
    folder = given.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(PLUGIN, folder)
    text = given.page.read_text(encoding="utf-8")
    program = [sys.executable, "-m", "affinity_zoo.cli"]
    if given.install:
        head, _, rest = text.partition(INSTALL_BEGIN)
        text = f"{head}{INSTALL_BEGIN}\n{installed(folder)}\n{INSTALL_END}{rest.partition(INSTALL_END)[2]}"
        program = [str(folder / ENVIRONMENT / "bin" / "affinity-zoo")]
    before, _, rest = text.partition(BEGIN)
    shown, _ = run("demo", folder, program)
    session = BLOCK.sub(lambda found: recorded(found[1], folder, program), rest.partition(END)[2])
    text = f"{before}{BEGIN}\n```text\n{shown}```\n{END}{session}"
    given.page.write_text(text, encoding="utf-8")


def installed(folder: Path) -> str:
    """Install the package into an empty environment and return the section on it, with time and size.

    Args:
        folder: Where the environment is made.
    """
    lines = [
        f"$ python3 -m venv {ENVIRONMENT}",
        f"$ {ENVIRONMENT}/bin/pip install --quiet '.[see]'",
    ]
    start = time.perf_counter()
    pip = [f"{ENVIRONMENT}/bin/python", "-m", "pip", "install", "--quiet", f"{HERE.parent}[see]"]
    for words in ([sys.executable, "-m", "venv", ENVIRONMENT], pip):
        subprocess.run(words, cwd=folder, check=True)
    seconds = time.perf_counter() - start
    files = (path for path in (folder / ENVIRONMENT).rglob("*") if path.is_file() and not path.is_symlink())
    size = sum(path.stat().st_size for path in files) / 1e9
    block = "\n".join(["```text", *lines, f"({seconds:.0f} s)", "```"])
    return f"Install, in the folder of the source. The environment then takes {size:.1f} GB:\n\n{block}"


def recorded(command: str, folder: Path, program: Sequence[str]) -> str:
    """Run a command and return its block: the command, its output and its time.

    Args:
        command: What follows `affinity-zoo`, on one line.
        folder: Where it runs.
        program: What `affinity-zoo` stands for.
    """
    for name, (successor, _) in shipped.REPLACED.items():
        command = command.replace(name, successor)
    shown, seconds = run(command, folder, program)
    return f"```text\n$ affinity-zoo {command}\n{shown}({seconds:.0f} s)\n```"


def run(command: str, folder: Path, program: Sequence[str]) -> tuple[str, float]:
    """Run a command and return what it prints, and seconds; a command that fails ends the recording.

    Args:
        command: What follows `affinity-zoo`, on one line.
        folder: Where it runs.
        program: What `affinity-zoo` stands for.
    """
    environment = {**os.environ, "COLUMNS": "140"}
    start = time.perf_counter()
    done = subprocess.run(
        [*program, *command.split()],
        cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        sys.exit(f"affinity-zoo {command} ended with code {done.returncode}:\n{done.stdout}")
    lines = [line.rstrip() for line in done.stdout.replace(f"{folder}/", "").splitlines()]
    return "\n".join(lines) + "\n", time.perf_counter() - start


if __name__ == "__main__":
    main()
