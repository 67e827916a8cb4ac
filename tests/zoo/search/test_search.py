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

from affinity_zoo.plugins.errors import UsageError
from affinity_zoo.zoo.board.results import load_result
from affinity_zoo.zoo.search.claims import Claim

optuna = pytest.importorskip("optuna", reason="Optuna (the extra search) is not installed")

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


@pytest.mark.slow
def test_a_search_killed_twice_ends_with_sealed_runs(small_data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "search"
    command = _command(small_data, folder, 4, "--no-prune", "--json")
    for kill in range(2):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wanted = kill + 1
        while process.poll() is None and len(list((folder / "summaries").glob("*_logs"))) < wanted:
            time.sleep(0.2)
        time.sleep(1.0)
        process.send_signal(signal.SIGKILL)
        process.wait()
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "COLUMNS": "200"})
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout[done.stdout.index("{\n") :])
    assert [t["state"] for t in told["trials"]] == ["complete"] * 4
    runs = [t["run"] for t in told["trials"]]
    assert len(set(runs)) == 4
    best = max(told["trials"], key=lambda t: t["value"])
    assert told["best"] == best["run"]
    for run in runs:
        results = [
            load_result(path) for path in (folder / "summaries" / f"{run}_logs").rglob("*result*.json")
        ]
        assert len(results) == 1
    study = _study(folder)
    assert len(study.trials) == 4 and study.best_value == best["value"]
    assert {t.user_attrs["run"] for t in study.trials} == set(runs)
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
