"""`plugins new`: creation of a complete plugin package."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from string import Template

from affinity_zoo.plugins.contracts import API_VERSION
from affinity_zoo.plugins.errors import UsageError
from affinity_zoo.plugins.kinds import KINDS
from affinity_zoo.plugins.names import is_canonical
from affinity_zoo.zoo.catalog.registry import BUILTINS
from affinity_zoo.zoo.catalog.scaffold_files import FILES, SOURCES, TESTS

PREFIX = "zoo-"  #: of the distribution's name


def new_plugin(name: str, kind: str, parent: Path) -> Path:
    """Write a plugin package atomically.

    Args:
        name: name that users type; a leading ``zoo-`` is removed.
        kind: ``featurizer``, ``architecture`` or ``scorer``.
        parent: the folder to write it into.

    Returns:
        The new folder.

    Raises:
        UsageError: a name that cannot be used, or the folder exists.
    """
    name = name.removeprefix(PREFIX)
    if not is_canonical(name):
        raise UsageError(
            f"{name!r} is not a plugin name: use lower-case letters, digits and dashes, as in 'my-name'"
        )
    if name in BUILTINS.get(kind, {}):
        raise UsageError(f"{name!r} is a built-in {kind}: choose another name")
    if kind not in SOURCES:
        raise UsageError(f"there is no template for {kind!r}: choose from {', '.join(SOURCES)}")
    folder = parent / f"{PREFIX}{name}"
    if folder.exists():
        raise UsageError(f"{folder} exists already: remove it or choose another `name` or `folder`")
    words = _words(name, kind)
    files = {Template(path).substitute(words): text for path, text in FILES.items()}
    files[f"src/{words['module']}/__init__.py"] = SOURCES[kind]
    files[f"tests/test_{words['identifier']}.py"] = TESTS[kind]
    temporary = folder.with_name(f"{folder.name}.tmp-{os.getpid()}")
    try:
        for path, text in files.items():
            (temporary / path).parent.mkdir(parents=True, exist_ok=True)
            (temporary / path).write_text(Template(text.lstrip("\n")).substitute(words), encoding="utf-8")
        os.replace(temporary, folder)
    except OSError as error:
        raise UsageError(f"cannot write {folder}: {error.strerror}; choose another `folder`") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return folder


def _words(name: str, kind: str) -> dict[str, str]:
    """Return the values of the template variables."""
    camel = "".join(word.capitalize() for word in name.split("-"))
    identifier = re.sub(r"\W", "_", name)
    return {
        "name": name,
        "kind": kind,
        "hook": KINDS[kind].hook,
        "flag": {"featurizer": "-f", "architecture": "-a", "scorer": "--scorer"}[kind],
        "distribution": f"{PREFIX}{name}",
        "module": f"zoo_{identifier}",
        "identifier": identifier,
        "cls": camel if camel.isidentifier() else f"{kind.capitalize()}{camel}",
        "api": str(API_VERSION),
    }
