"""Who may import whom, read from the sources: arrows point one way, and what registers imports nothing heavy."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from affinity_zoo.plugins.discovery import HEAVY

ROOT = Path(__file__).resolve().parents[1]

#: folder -> what it may import of the project
MAY = {
    "plugins": ("affinity_zoo.plugins",),
    "featurizers": ("affinity_zoo.plugins", "affinity_zoo.featurizers"),
    "zoo": (
        "affinity_zoo.plugins",
        "affinity_zoo.featurizers",
        "affinity_zoo.zoo",
        "affinity_zoo.__version__",
    ),
}
#: plugins/ checks plugins with the voxelizers and tables of the host, imported inside functions
LAZY_EXCEPTIONS = dict.fromkeys(("checks_featurizer.py", "imaging.py"), "affinity_zoo.featurizers.layers")


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _top(tree: ast.Module) -> Iterator[str]:
    """Yield what a module imports when it is imported: not in functions, not under TYPE_CHECKING."""
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom) or (
            isinstance(node, ast.Try | ast.If) and "TYPE_CHECKING" not in ast.unparse(node).splitlines()[0]
        ):
            yield from _imports(node)


def _modules(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


@pytest.mark.parametrize("folder", MAY)
def test_arrows_point_one_way(folder: str) -> None:
    for path in _modules(folder):
        allowed = MAY[folder]
        if folder == "plugins" and path.name in LAZY_EXCEPTIONS:
            allowed = (*allowed, LAZY_EXCEPTIONS[path.name])
        for name in _imports(ast.parse(path.read_text(encoding="utf-8"))):
            if name.split(".")[0] == "affinity_zoo":
                ours = name == "affinity_zoo" or any(f"{name}.".startswith(f"{ok}.") for ok in allowed)
                assert ours, f"{path.relative_to(ROOT)} imports {name}"


def test_what_registers_and_what_is_typed_imports_nothing_heavy() -> None:
    registering = [
        path for path in _modules("featurizers", "zoo") if "@hookimpl" in path.read_text(encoding="utf-8")
    ]
    assert registering
    for path in [*_modules("plugins", "zoo/commands"), *registering, ROOT / "cli.py", ROOT / "__init__.py"]:
        for name in _top(ast.parse(path.read_text(encoding="utf-8"))):
            assert name.split(".")[0] not in HEAVY, f"{path.relative_to(ROOT)} imports {name} at its top"


def test_tensorflow_stands_in_few_modules() -> None:
    """The backend is Keras's to choose: TensorFlow by name only for its data pipeline and distribution."""
    named = {
        path.relative_to(ROOT).as_posix()
        for path in _modules("plugins", "featurizers", "zoo")
        if any(n.split(".")[0] == "tensorflow" for n in _imports(ast.parse(path.read_text(encoding="utf-8"))))
    }
    assert all(
        path.startswith(
            (
                "zoo/data/pipeline",
                "zoo/training/",
                "zoo/quiet",
                "zoo/speed",
                "zoo/see/gradients",
                "zoo/models/export",
            )
        )
        for path in named
    ), named
