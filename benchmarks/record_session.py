"""Record the session in docs/demo.md again: run each of its commands, and put what it prints below it.

    python benchmarks/record_session.py FOLDER [--page docs/demo.md]

FOLDER: an empty or new folder that the commands run in. The first block is the output of `affinity-zoo demo`; the
others begin with `$ affinity-zoo ...` and end with the time of the command. Commands are kept, unless they name a model
that is not shipped any more: then they name its successor.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

from affinity_zoo.zoo import shipped

HERE = Path(__file__).parent
BEGIN, END = "<!-- demo output: begin -->", "<!-- demo output: end -->"
BLOCK = re.compile(r"```text\n\$ affinity-zoo (.*?)\n.*?```", re.DOTALL)
PLUGIN = HERE.parent / "examples" / "single_file" / "polar_and_apolar.py"


def main() -> None:
    """Record all blocks of the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--page", type=Path, default=HERE.parent / "docs" / "demo.md")
    given = parser.parse_args()
    folder = given.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(PLUGIN, folder)
    before, _, rest = given.page.read_text(encoding="utf-8").partition(BEGIN)
    shown, _ = run("demo", folder)
    session = BLOCK.sub(lambda found: recorded(found[1], folder), rest.partition(END)[2])
    text = f"{before}{BEGIN}\n```text\n{shown}```\n{END}{session}"
    given.page.write_text(text, encoding="utf-8")


def recorded(command: str, folder: Path) -> str:
    """Run a command and return its block: the command, its output and its time.

    Args:
        command: What follows `affinity-zoo`, on one line.
        folder: Where it runs.
    """
    for name, (successor, _) in shipped.REPLACED.items():
        command = command.replace(name, successor)
    shown, seconds = run(command, folder)
    return f"```text\n$ affinity-zoo {command}\n{shown}({seconds:.0f} s)\n```"


def run(command: str, folder: Path) -> tuple[str, float]:
    """Run a command and return what it prints, and seconds; a command that fails ends the recording.

    Args:
        command: What follows `affinity-zoo`, on one line.
        folder: Where it runs.
    """
    environment = {**os.environ, "COLUMNS": "140"}
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "affinity_zoo.cli", *command.split()],
        cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        sys.exit(f"affinity-zoo {command} ended with code {done.returncode}:\n{done.stdout}")
    lines = [line.rstrip() for line in done.stdout.replace(f"{folder}/", "").splitlines()]
    return "\n".join(lines) + "\n", time.perf_counter() - start


if __name__ == "__main__":
    main()
