"""The root of the repository is the package: what is named, built and importable once installed."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
NOT_PACKAGES = {"tests", "docs", "examples", "benchmarks", "build", "dist", "affinity-zoo-demo"}
TOP_LEVEL = ("plugins", "featurizers", "zoo", "cli", "tests", "docs", "examples", "benchmarks")


def _sources() -> list[Path]:
    """Return every module of the package, relative to the root."""
    found = [ROOT / "__init__.py", ROOT / "cli.py"]
    for folder in ROOT.iterdir():
        ours = folder.is_dir() and folder.name not in NOT_PACKAGES and not folder.name.startswith((".", "_"))
        if ours and not folder.name.endswith(".egg-info"):
            found += folder.rglob("*.py")
    return sorted(path.relative_to(ROOT) for path in found)


def test_every_package_is_named_in_pyproject() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    folders = {path.parent for path in _sources()}
    packages = {".".join(("affinity_zoo", *folder.parts)) for folder in folders}
    assert sorted(settings["packages"]) == sorted(packages)
    for folder in folders:
        assert (ROOT / folder / "__init__.py").is_file(), f"{folder} has modules but no __init__.py"


def test_versions_agree() -> None:
    import affinity_zoo

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert affinity_zoo.__version__ == project["version"]


def test_tests_are_no_package_and_have_unique_names() -> None:
    tests = list((ROOT / "tests").rglob("*.py"))
    assert not [path for path in tests if path.name == "__init__.py"]
    names = [path.name for path in tests if path.name != "conftest.py"]
    assert len(names) == len(set(names))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built from a clean copy: a stale build folder would put deleted modules into it."""
    copy = tmp_path_factory.mktemp("clean") / "tree"
    copy.mkdir()
    for path in ROOT.iterdir():
        if path.name.startswith(".") or path.name.endswith(".egg-info") or path.name in ("build", "dist"):
            continue
        if path.is_dir():
            shutil.copytree(path, copy / path.name, ignore=shutil.ignore_patterns("__pycache__", "*.tmp-*"))
        else:
            shutil.copy2(path, copy / path.name)
    out = copy.parent / "dist"
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--no-deps",
        "--no-build-isolation",
        "-q",
        "-w",
        str(out),
    ]
    subprocess.run([*command, str(copy)], check=True, capture_output=True, text=True)
    (built,) = out.glob("*.whl")
    return built


def test_the_wheel_holds_every_module_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    modules = {f"affinity_zoo/{path.as_posix()}" for path in _sources()}
    assert {name for name in names if name.endswith(".py")} == modules
    assert "affinity_zoo/py.typed" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    data = {path.relative_to(ROOT).as_posix() for path in (ROOT / "zoo").rglob("*.toml")}
    shipped = (path for path in (ROOT / "zoo" / "shipped").glob("*/*") if path.parent.name != "__pycache__")
    data |= {path.relative_to(ROOT).as_posix() for path in shipped}
    assert "zoo/shipped/zoo-small/model.keras" in data
    assert {f"affinity_zoo/{name}" for name in data} <= names
    top = {name.split("/")[0] for name in names}
    assert {part for part in top if not part.endswith(".dist-info")} == {"affinity_zoo"}
    second = {name.split("/")[1] for name in names if name.startswith("affinity_zoo/")}
    assert not second & NOT_PACKAGES


def test_installed_nothing_of_ours_is_a_top_level_name(wheel: Path, tmp_path: Path) -> None:
    """From another folder, with the wheel unpacked where pip puts it, only `affinity_zoo` is importable."""
    site = tmp_path / "site"
    command = [sys.executable, "-m", "pip", "install", "--no-deps", "-q", "--target", str(site), str(wheel)]
    subprocess.run(command, check=True, capture_output=True, text=True)
    script = (
        "import sys, importlib.util as u\n"
        f"sys.path.insert(0, {str(site)!r})\n"
        # another distribution may install such a name of its own (tf2onnx has `tests`)
        f"bad = [n for n in {TOP_LEVEL!r} if (s := u.find_spec(n)) and str(s.origin).startswith({str(site)!r})]\n"
        "assert not bad, bad\n"
        "import affinity_zoo, affinity_zoo.cli\n"
        f"assert affinity_zoo.__file__.startswith({str(site)!r}), affinity_zoo.__file__\n"
        "from affinity_zoo.zoo.catalog.registry import catalog\n"
        "bad = [p for p in catalog().plugins() if p.builtin and p.state != 'loaded']\n"
        "assert not bad, bad\n"
    )
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    done = subprocess.run([sys.executable, "-c", script], cwd=elsewhere, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", ["plugins", "featurizers", "zoo", "cli"])
def test_lint_forbids_importing_a_second_copy(name: str) -> None:
    """From the checkout `import plugins` works by accident: the lint rule must catch it."""
    lint = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]["lint"]
    assert {"TID251", "TID252"} <= set(lint["select"])
    assert name in lint["flake8-tidy-imports"]["banned-api"]
    code = f"import {name}\nfrom {name} import x\n"
    command = [sys.executable, "-m", "ruff", "check", "--no-cache", "--config", str(ROOT / "pyproject.toml")]
    done = subprocess.run(
        [*command, "--stdin-filename", "probe.py", "-"], input=code, capture_output=True, text=True
    )
    if "No module named ruff" in done.stderr:
        pytest.skip("ruff is not installed (extra [dev])")
    assert "TID251" in done.stdout, done.stdout


def test_no_module_imports_a_second_copy() -> None:
    for path in [*_sources(), *(p.relative_to(ROOT) for p in (ROOT / "tests").rglob("*.py"))]:
        for line in (ROOT / path).read_text().splitlines():
            words = line.split()
            if len(words) > 1 and words[0] in ("import", "from") and not line.startswith((" ", "#")):
                assert words[1].split(".")[0] not in ("plugins", "featurizers", "zoo", "cli"), (
                    f"{path}: {line}"
                )
