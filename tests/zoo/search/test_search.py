"""A search of trials on a small index: sealed runs, kills, two processes, a study that Optuna opens."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from affinity_zoo import evaluate
from affinity_zoo.plugins.errors import UsageError
from affinity_zoo.zoo.board.results import load_result
from affinity_zoo.zoo.search.claims import Claim

optuna = pytest.importorskip("optuna", reason="Optuna (the extra search) is not installed")

TRIALS = 8
SPACE = """
featurizers = ["atom-types"]
architectures = ["resnet3d"]

[resnet3d]
filters = [2, 4]

[training]
learning_rate = {low = 1e-4, high = 1e-2, log = true}
epochs = 2
"""


def _command(data: Path, folder: Path, trials: int, *more: str) -> list[str]:
    space = folder.parent / "space.toml"
    space.write_text(SPACE)
    return [
        sys.executable, "-m", "affinity_zoo.cli", "search", str(data), "--space", str(space), "-o", str(folder),
        "--trials", str(trials), *more,
    ]  # fmt: skip


def _study(folder: Path) -> optuna.Study:
    return optuna.load_study(study_name="affinity-zoo", storage=f"sqlite:///{folder / 'study.db'}")


def test_a_claim_ends_with_its_process(tmp_path: Path) -> None:
    script = (
        "import sys, time\nfrom pathlib import Path\nfrom affinity_zoo.zoo.search.claims import Claim\n"
        "print(Claim(Path(sys.argv[1]), 3).take(), flush=True)\ntime.sleep(600)\n"
    )
    other = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert other.stdout is not None and other.stdout.readline().strip() == "True"
    mine = Claim(tmp_path, 3)
    assert not mine.take()
    other.kill()
    other.wait()
    assert mine.take()
    mine.release()


@pytest.fixture(scope="module")
def demo_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The index of the demonstration set: all its structures."""
    from affinity_zoo.zoo.data.index.run import build_index
    from affinity_zoo.zoo.demo.complexes import make_demo_set

    root = tmp_path_factory.mktemp("demo")
    make_demo_set(root / "set", decoys_per_ligand=4, tries=20)
    build_index(root / "set", root / "data", workers=0, progress=False)
    return root / "data"


@pytest.mark.slow
def test_a_search_killed_twice_ends_with_sealed_runs(demo_data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "search"
    command = _command(demo_data, folder, TRIALS, "--no-prune", "--json")
    for wanted in (2, 5):  # killed while this many runs have begun
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while process.poll() is None and len(list((folder / "summaries").glob("*_logs"))) < wanted:
            time.sleep(0.2)
        time.sleep(1.0)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "COLUMNS": "200"})
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout[done.stdout.index("{\n") :])
    assert [t["state"] for t in told["trials"]] == ["complete"] * TRIALS
    runs = [t["run"] for t in told["trials"]]
    assert len(set(runs)) == TRIALS == len(list((folder / "summaries").glob("*_logs")))
    best = max(told["trials"], key=lambda t: t["value"])
    assert told["best"] == best["run"]
    for run in runs:
        results = [
            load_result(path) for path in (folder / "summaries" / f"{run}_logs").rglob("*result*.json")
        ]
        assert len(results) == 1
    study = _study(folder)
    assert len(study.trials) == TRIALS and study.best_value == best["value"]
    assert {t.user_attrs["run"] for t in study.trials} == set(runs)
    storage = f"sqlite:///{folder / 'study.db'}"
    tool = (sys.executable, "-c", "import optuna.cli; raise SystemExit(optuna.cli.main())")
    asked = (*tool, "best-trial", "--storage", storage, "--study-name", "affinity-zoo", "--format", "json")
    told_by_optuna = json.loads(subprocess.run(asked, capture_output=True, text=True, check=True).stdout)
    assert told_by_optuna["number"] == best["trial"]
    for run in (told["best"], next(run for run in runs if run != told["best"])):
        of_search = evaluate(run, demo_data, split="test", views=1, runs=folder / "summaries").model["note"]
        assert of_search == (
            f"best of {TRIALS} on validation ({told['monitor']})"
            if run == told["best"]
            else f"one of {TRIALS} of a search"
        )
    page = (folder / "search.html").read_text()
    assert "<svg" in page
    assert not re.search(r'(?:src|href)="https?:', page)


def test_another_space_is_refused(tmp_path: Path) -> None:
    from affinity_zoo.zoo.search.run import _claim_space

    study = optuna.create_study()
    (tmp_path / "a.toml").write_text("a = 1")
    (tmp_path / "b.toml").write_text("b = 1")
    _claim_space(study, tmp_path / "a.toml", False)
    _claim_space(study, tmp_path / "a.toml", False)
    with pytest.raises(UsageError, match="another space"):
        _claim_space(study, tmp_path / "b.toml", False)
    with pytest.raises(UsageError, match="another space"):
        _claim_space(study, tmp_path / "a.toml", True)
