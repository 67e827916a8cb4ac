"""Messages name arguments below the commands, and the command line shows its own options in their place."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from affinity_zoo.cli import app
from affinity_zoo.zoo.commands.spelling import as_flags

ROOT = Path(__file__).resolve().parents[3]
#: an option of this command line or a short one, not inside the name of something else
FLAG = re.compile(r"(?<![\w-])(--[a-z][\w-]*|-[a-zA-Z](?![\w-]))")
#: what may hold options: a whole command that the reader is to run, and files that are no messages
COMMAND = re.compile(r"`[^`]*`|pip install [^;]*|tensorboard --logdir|^affinity-zoo .*")
NO_MESSAGES = (
    "zoo/catalog/scaffold_files.py",
    "zoo/reports/style.py",
    "zoo/see/page.py",
    "zoo/reports/compare_script.py",
)


def _strings(path: Path) -> Iterator[tuple[int, str]]:
    """Strings of a module with spaces in them, f-strings whole, docstrings left out."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    done: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            done.add(id(node.value))
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            done.update(id(part) for part in ast.walk(node))
            yield (
                node.lineno,
                "".join(str(p.value) if isinstance(p, ast.Constant) else "X" for p in node.values),
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in done:
            yield node.lineno, node.value


def _below_the_commands() -> list[Path]:
    found = [p for room in ("plugins", "featurizers", "zoo") for p in (ROOT / room).rglob("*.py")]
    return [p for p in found if ROOT / "zoo" / "commands" not in p.parents]


def test_no_message_below_the_commands_names_an_option() -> None:
    for path in _below_the_commands():
        name = path.relative_to(ROOT).as_posix()
        if name in NO_MESSAGES:
            continue
        for line, text in _strings(path):
            left = COMMAND.sub("", text)
            if re.search(r"\s", text):
                assert not FLAG.search(left), f"{name}:{line} names an option: {text!r}"


def test_an_option_in_a_message_would_be_found() -> None:
    assert FLAG.search("--views must be at least 1") and FLAG.search("give the poses with -l")
    assert not FLAG.search(COMMAND.sub("", "run `affinity-zoo split DATA --split-by time` - or not"))


@pytest.mark.parametrize(
    ("message", "words", "shown"),
    [
        ("`views` must be at least 1, not 0", ["predict", "MODEL"], "--views must be at least 1, not 0"),
        ("use `method='occlusion'`", ["explain", "--views", "1"], "use --method occlusion"),
        ("leave it out: `page=False`", ["explain"], "leave it out: --no-page"),
        ("go on with `resume=True`", ["predict"], "go on with --resume"),
        ("go on with `resume=3`", ["train"], "go on with --resume 3"),
        ("change `featurizer_options`", ["train"], "change -F"),
        ("`start` names a model", ["train"], "--from names a model"),
        ("`by` is one of time", ["split", "DATA"], "--split-by is one of time"),
        ("use `no_plugins=True`", ["benchmarks", "list"], "use --no-plugins"),
        ("give another `folder`", ["plugins", "new", "x"], "give another --out"),
        ("see `affinity-zoo plugins list` and `views`", ["fetch"], "see `affinity-zoo plugins list` and `views`"),
    ],
)  # fmt: skip
def test_the_command_line_shows_options(message: str, words: list[str], shown: str) -> None:
    assert as_flags(message, app, words) == shown


def test_one_error_has_both_spellings(tmp_path: Path, cli) -> None:  # type: ignore[no-untyped-def]
    from affinity_zoo.plugins.errors import UsageError
    from affinity_zoo.zoo.data.fetch import fetch

    with pytest.raises(UsageError, match="`format` is one of cif, pdb"):
        fetch(["1abc"], tmp_path, format="doc")
    code, out, err = cli("fetch", "1abc", "-o", tmp_path, "--format", "doc")
    assert code == 2 and out == "" and err.startswith("error: --format is one of cif, pdb")
