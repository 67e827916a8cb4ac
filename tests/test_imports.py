"""Which room may import which, read from the sources: arrows point down one table, and what registers is light."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from affinity_zoo.plugins.discovery import HEAVY

ROOT = Path(__file__).resolve().parents[1]

#: room -> the rooms it may import, from the ground up: a room imports rooms above it in this table only.
#: CONTRIBUTING.md shows the same table.
TABLE: dict[str, str] = {
    "plugins": "",
    "featurizers": "plugins",
    "zoo/shipped": "",
    "zoo/runtime": "plugins",
    "zoo/catalog": "plugins",
    "zoo/chem": "plugins",
    "zoo/architectures": "plugins",
    "zoo/data/readers": "plugins runtime chem",
    "zoo/data/store": "plugins runtime",
    "zoo/data/layouts": "plugins runtime readers store",
    "zoo/data/splits": "plugins runtime readers store",
    "zoo/data/index": "plugins featurizers runtime readers store layouts splits",
    "zoo/data": "plugins runtime chem readers store layouts splits index",
    "zoo/validity": "plugins runtime readers data",
    "zoo/decoys": "plugins runtime chem readers store splits data",
    "zoo/batches": "plugins featurizers runtime store",
    "zoo/scorers": "plugins",
    "zoo/judging": "plugins runtime catalog store scorers",
    "zoo/models": "plugins featurizers shipped runtime catalog store data",
    "zoo/baselines": "plugins featurizers runtime catalog chem store data scorers judging",
    "zoo/board": "plugins runtime catalog store splits data scorers judging baselines models",
    "zoo/reports": "plugins runtime scorers judging board",
    "zoo/inference": "plugins featurizers runtime chem readers store data batches models",
    "zoo/training": "plugins featurizers shipped runtime catalog store batches judging models board inference",
    "zoo/prediction": "plugins featurizers runtime chem readers layouts splits data validity batches scorers judging "
    "models inference",
    "zoo/evaluation": "plugins runtime catalog readers store batches judging models board baselines inference",
    "zoo/search": "plugins runtime catalog models evaluation training",
    "zoo/importers": "plugins featurizers runtime catalog architectures models inference",
    "zoo/export": "plugins featurizers runtime batches models inference",
    "zoo/shipping": "plugins runtime catalog store judging models board",
    "zoo/see": "plugins featurizers runtime catalog chem readers batches models reports inference prediction",
    "zoo/api": "plugins runtime readers index models board reports inference prediction importers see",
    "zoo/refine": "plugins featurizers runtime chem readers batches models see inference",
    "zoo/demo": "plugins shipped runtime chem readers store splits index decoys models training evaluation prediction",
    "zoo/speed": "plugins featurizers runtime catalog architectures readers store batches models inference training "
    "prediction demo",
    "zoo/commands": "every room above",
    "cli.py": "plugins runtime catalog commands",
}
#: (module, room, reason): imports that the table does not allow
EXCEPTIONS: dict[tuple[str, str], str] = {
    (
        "plugins/checks_featurizer.py",
        "featurizers",
    ): "conformance checks use the voxelizers, inside functions",
    ("plugins/imaging.py", "featurizers"): "draws images of a plugin's featurizer, inside functions",
}
#: modules that name TensorFlow: its data pipeline, distribution, devices, gradients and exports
TENSORFLOW = ("zoo/batches/pipeline", "zoo/training/", "zoo/runtime/", "zoo/speed/", "zoo/export/")


def _room(path: Path) -> str:
    parts = path.relative_to(ROOT).parts
    for length in (3, 2, 1):
        name = "/".join(parts[:length])
        if name in TABLE and (len(parts) > length or name.endswith(".py")):
            return name
    raise AssertionError(f"{path.relative_to(ROOT)} lies in no room of the table")


def _short(room: str) -> str:
    return room.rsplit("/", 1)[-1]


def _names(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _module_of(name: str) -> Path | None:
    """The file that an import of the project reads, from the longest part of the name that is one."""
    parts = name.split(".")
    if parts[0] != "affinity_zoo":
        return None
    for length in range(len(parts), 1, -1):
        base = ROOT.joinpath(*parts[1:length])
        for path in (base.with_suffix(".py"), base / "__init__.py"):
            if path.is_file():
                return path
    return ROOT / "__init__.py"


def _modules(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def _imported(path: Path, text: str | None = None) -> set[Path]:
    tree = ast.parse(path.read_text(encoding="utf-8") if text is None else text)
    return {found for name in _names(tree) if (found := _module_of(name)) is not None}


def _broken(path: Path, text: str | None = None) -> list[str]:
    """Imports of a module that the table does not allow."""
    here = _room(path)
    broken = []
    for target in _imported(path, text):
        if target in (ROOT / "__init__.py", ROOT / "zoo" / "__init__.py"):
            continue
        there, name = _room(target), path.relative_to(ROOT).as_posix()
        allowed = set(TABLE[here].split()) | {_short(here)}
        if TABLE[here] == "every room above":
            allowed = {_short(room) for room in TABLE if room != "cli.py"}
        if _short(there) not in allowed and (name, _short(there)) not in EXCEPTIONS:
            broken.append(f"{name} imports {target.relative_to(ROOT)}: {here} may not import {there}")
    return broken


def _all_modules() -> list[Path]:
    return [*_modules("plugins", "featurizers", "zoo"), ROOT / "cli.py"]


def test_every_import_follows_the_table() -> None:
    places = [path for path in _all_modules() if path != ROOT / "zoo" / "__init__.py"]
    assert len(places) > 200
    assert [line for path in places for line in _broken(path)] == []


def test_the_table_points_one_way() -> None:
    """A room imports rooms that stand before it, so that no circle of rooms is possible."""
    before: set[str] = set()
    for room, allowed in TABLE.items():
        if allowed != "every room above":
            assert set(allowed.split()) <= before, f"{room} imports a room that stands below it"
        before.add(_short(room))
    for module, room in EXCEPTIONS:
        assert _short(room) in before and (ROOT / module).is_file()


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("zoo/models/loading.py", "from affinity_zoo.zoo.training import fit"),
        ("zoo/scorers/base.py", "def f():\n    from affinity_zoo.zoo.board.results import Result"),
        ("plugins/contracts.py", "import affinity_zoo.zoo.runtime.files"),
        ("zoo/evaluation/run.py", "from affinity_zoo.zoo.prediction.run import predict"),
    ],
)
def test_a_broken_arrow_is_found(module: str, line: str) -> None:
    assert _broken(ROOT / module, line)


def test_no_module_imports_itself_through_others() -> None:
    graph = {path: _imported(path) for path in _all_modules() if path.name != "__init__.py"}
    state: dict[Path, int] = {}

    def visit(path: Path, trail: list[Path]) -> None:
        state[path] = 1
        for target in sorted(graph.get(path, ())):
            circle = [p.relative_to(ROOT).as_posix() for p in [*trail, path, target]]
            assert state.get(target) != 1, " -> ".join(circle)
            if target not in state and target in graph:
                visit(target, [*trail, path])
        state[path] = 2

    for path in graph:
        if path not in state:
            visit(path, [])


def test_contributing_shows_the_same_table() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    shown = dict(re.findall(r"^\| `([\w/.]+?)/?` \|[^|]*\| ([^|]*?) \|$", text, re.MULTILINE))
    listed = {
        room: ", ".join(f"`{name}`" for name in allowed.split()) or "nothing"
        for room, allowed in TABLE.items()
    }
    listed["zoo/commands"] = "every folder above"
    assert shown == listed


def _top(tree: ast.Module) -> Iterator[str]:
    """Yield what a module imports when it is imported: not in functions, not under TYPE_CHECKING."""
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom) or (
            isinstance(node, ast.Try | ast.If) and "TYPE_CHECKING" not in ast.unparse(node).splitlines()[0]
        ):
            yield from _names(node)


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
    for path in _modules("plugins", "featurizers", "zoo"):
        names = _names(ast.parse(path.read_text(encoding="utf-8")))
        if any(name.split(".")[0] == "tensorflow" for name in names):
            assert path.relative_to(ROOT).as_posix().startswith(TENSORFLOW), path
