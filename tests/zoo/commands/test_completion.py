"""Shell completion, asked as bash asks: models, runs, benchmarks, names of parts, files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from affinity_zoo.zoo.commands import completion

#: the console script, whatever the folder that it lies in
AS_SCRIPT = "import sys; sys.argv = ['affinity-zoo']; from affinity_zoo.cli import main; main()"
PLUGIN = Path(__file__).resolve().parents[3] / "examples" / "single_file" / "polar_and_apolar.py"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with three runs, a benchmark, a receptor and a folder of poses."""
    for number in (1, 2, 12):
        (tmp_path / "summaries" / f"{number}_logs").mkdir(parents=True)
    (tmp_path / "summaries" / "benchmarks").mkdir()
    for name in ("csar-pose", "casf"):
        (tmp_path / "summaries" / "benchmarks" / f"{name}.json").write_text(json.dumps({"name": name}))
    (tmp_path / "receptor.pdb").write_text("")
    (tmp_path / "recordings").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("predict zoo-", {"zoo-small"}),
        ("predict gnina-def", {"gnina-default", "gnina-default2017"}),
        ("predict 1", {"1", "12"}),
        ("predict zoo-small rec", {"receptor.pdb", "recordings/"}),
        ("evaluate 1 cs", {"csar-pose"}),
        ("report 2", {"2"}),
        ("train DATA -f atom", {"atom-types"}),
        ("train DATA -a resn", {"resnet3d"}),
        ("evaluate 1 -s roc-", {"roc-auc", "roc-auc-per-complex"}),
        ("show elem", {"element-tag"}),
        ("models sh", {"show"}),
        ("models show zoo-", {"zoo-small"}),
        ("benchmarks show ca", {"casf"}),
    ],
)
def test_bash_is_offered_what_fits(here: Path, words: str, offered: set[str]) -> None:
    line = f"affinity-zoo {words}"
    done = subprocess.run(
        [sys.executable, "-c", AS_SCRIPT], capture_output=True, text=True, cwd=here,
        env={**os.environ, "_AFFINITY_ZOO_COMPLETE": "complete_bash", "COMP_WORDS": line,
             "COMP_CWORD": str(len(line.split()) - 1)},
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    found = set(done.stdout.split())
    assert offered <= found
    beginning = line.rsplit(maxsplit=1)[-1]
    assert all(one.startswith(beginning) for one in found)


def test_names_of_plugins_are_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    from affinity_zoo.zoo.catalog import registry

    before = registry.configure(files=[PLUGIN])
    try:
        assert completion.featurizers("polar") == ["polar-and-apolar"]
        assert "polar-and-apolar" in completion.parts("")
    finally:
        registry.restore(before)


def test_where_nothing_is_nothing_is_offered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert completion.runs("") == completion.benchmarks("") == []
    assert "zoo-small" in completion.models("")
