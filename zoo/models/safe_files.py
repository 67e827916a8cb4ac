"""Text files of untrusted model directories: size and depth are checked before parsing."""

from __future__ import annotations

import json
import re
import stat
import tomllib
from pathlib import Path
from typing import Any, Final

from affinity_zoo.plugins.errors import AffinityZooError

DEEPEST: Final = 60  #: tables or lists within each other; a Keras configuration has about 20
_CARD: Final = 8 << 20  #: bytes of a card at most
_TOML: Final = 256 << 10  #: bytes of a recipe or ensemble.toml at most
#: texts and comments, which are left out when brackets are counted; possessive, so that no input takes long
_STRINGS: Final = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\Z)', re.DOTALL)
_TOML_TEXTS: Final = re.compile(
    r'"""(?:[^"\\]|\\.|"(?!""))*+(?:"""|\Z)'
    r"|'''(?:[^']|'(?!''))*+(?:'''|\Z)"
    r'|"(?:[^"\\\n]|\\[^\n])*+(?:"|(?=\n)|\\|\Z)'
    r"|'[^'\n]*+(?:'|(?=\n)|\Z)"
    r"|#[^\n]*+",
    re.DOTALL,
)
#: a key of very many parts, which takes minutes to parse
_LONG_KEY: Final = re.compile(r'(?<![\w-])(?:(?:[\w-]++|"")[ \t]*+\.[ \t]*+){60}')
_REMEDY: Final = "get the model again from where it came"


def read_text(path: Path, most: int) -> str:
    """Read a text file of limited size.

    Args:
        path: the file; links to devices and pipes are refused.
        most: bytes.

    Returns:
        Its text.

    Raises:
        AffinityZooError: it is missing, no ordinary file, too large, or no text.
    """
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise AffinityZooError(f"{path}: refused, it is no ordinary file; {_REMEDY}")
        if found.st_size > most:
            raise AffinityZooError(
                f"{path}: refused, it has {found.st_size:,} bytes, more than {most:,}; {_REMEDY}"
            )
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise AffinityZooError(f"{path}: cannot be read ({error}); {_REMEDY}") from error


def read_json(path: Path, most: int = _CARD) -> Any:
    """Read a JSON file of limited size and depth; errors as :func:`parse_json`.

    Args:
        path: The file.
        most: Largest size in bytes.
    """
    return parse_json(read_text(path, most), path)


def parse_json(text: str, where: object) -> Any:
    """Parse JSON of limited depth.

    Args:
        text: the JSON.
        where: what to name in an error.

    Returns:
        The value.

    Raises:
        AffinityZooError: it is no JSON, or nests too deeply.
    """
    _check_depth(_STRINGS.sub('""', text), where)
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise AffinityZooError(f"{where}: not readable ({error}); {_REMEDY}") from error


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file of limited size and depth.

    Args:
        path: the file.

    Returns:
        Its tables.

    Raises:
        AffinityZooError: it is missing, too large, no TOML, or nests too deeply.
    """
    text = read_text(path, _TOML)
    plain = _TOML_TEXTS.sub('""', text)
    _check_depth(plain, path)
    if _LONG_KEY.search(plain):
        raise AffinityZooError(f"{path}: refused, it nests deeper than {DEEPEST} levels; {_REMEDY}")
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise AffinityZooError(f"{path}: cannot be read ({error}); {_REMEDY}") from error


def _check_depth(text: str, where: object) -> None:
    depth = deepest = 0
    for sign in re.findall(r"[\[\]{}]", text):
        depth += 1 if sign in "[{" else -1
        deepest = max(deepest, depth)
    if deepest > DEEPEST:
        raise AffinityZooError(f"{where}: refused, it nests deeper than {DEEPEST} levels; {_REMEDY}")
