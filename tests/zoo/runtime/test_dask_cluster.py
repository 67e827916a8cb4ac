"""Work on a real Dask cluster: the same bytes as here, also when a worker dies in the middle."""

from __future__ import annotations

import hashlib
import importlib
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from affinity_zoo.plugins.errors import AffinityZooError, UsageError
from affinity_zoo.zoo.data.checks import check
from affinity_zoo.zoo.data.index.run import build_index
from affinity_zoo.zoo.decoys.run import make_decoys
from affinity_zoo.zoo.runtime.dask_cluster import DaskCluster, dask_cluster
from affinity_zoo.zoo.runtime.parallel import Lost, ordered_map


class Watched(DaskCluster):
    """A cluster that does something after so many pieces were sent."""

    def __init__(self, cluster: DaskCluster, after: int, do: Callable[[], None]) -> None:
        super().__init__(cluster._client, cluster._address)
        self._left, self._do = after, do

    def __call__(self) -> Executor:
        executor, submit = super().__call__(), super().__call__().submit

        def counted(*arguments: Any, **named: Any) -> Future:
            self._left -= 1
            if self._left == 0:
                self._do()
            return submit(*arguments, **named)

        executor.submit = counted  # type: ignore[method-assign]
        return executor


def contents(folder: Path, without: tuple[str, ...] = ()) -> dict[str, str]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name not in without)
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


WAIT = """
import time

def wait(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(0.01)
    return seconds
"""


def test_a_worker_killed_in_the_middle_of_index_changes_no_byte(
    dask_processes: Any, unpacked: Callable[[str], Path], tmp_path: Path
) -> None:
    source, far, here = unpacked("redock"), tmp_path / "far", tmp_path / "here"
    cluster = dask_cluster(dask_processes.ready())
    assert cluster.slots == 3
    victim = dask_processes.workers[1]
    killer = Watched(cluster, 12, victim.kill)
    a = build_index(source, far, progress=False, make_executor=killer)
    assert victim.wait(timeout=60) < 0 and killer._left < -5, "it is killed in the middle"
    b = build_index(source, here, progress=False, workers=0)
    assert a.rows == b.rows > 100 and a.failed == b.failed
    assert contents(far) == contents(here)


def test_decoys_check_and_scores_are_the_same_there(
    dask_processes: Any, small_data: Path, tmp_path: Path
) -> None:
    cluster = dask_cluster(dask_processes.ready())
    reports = [check(small_data, workers=0), check(small_data, make_executor=cluster)]
    assert reports[0] == reports[1] and reports[0].rows == 20
    for name, executor in (("far", cluster), ("here", None)):
        made = make_decoys(
            small_data, tmp_path / name, method="displace", per_ligand=2, workers=0, progress=False,
            make_executor=executor,
        )  # fmt: skip
        assert made.complexes == 5 and not made.failed
    without = ("decoys.json",)  # it says how long it took, and where
    assert contents(tmp_path / "far", without) == contents(tmp_path / "here", without)


def test_scores_of_a_cluster_that_loses_a_worker(
    dask_processes: Any, small_data: Path, toy_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from affinity_zoo.zoo.data.store.dataset import Dataset
    from affinity_zoo.zoo.inference import rows as scoring
    from affinity_zoo.zoo.inference.choices import ScoringChoices
    from affinity_zoo.zoo.inference.ready import ready
    from affinity_zoo.zoo.models.loading import load_model

    monkeypatch.setattr(scoring, "BATCHES", 1)
    model, data = ready(load_model(toy_model)), Dataset.open(small_data)
    rows = np.tile(np.arange(len(data)), 6)
    choices = ScoringChoices(views=2, batch_size=8)
    here = scoring.score_rows(model, data, rows, choices)
    victim = dask_processes.workers[0]
    cluster = Watched(dask_cluster(dask_processes.ready()), 12, victim.kill)
    far = scoring.score_rows(model, data, rows, choices, cluster)
    assert victim.wait(timeout=60) < 0
    assert here.shape == (len(rows), 2, 1) and np.array_equal(far, here)
    assert len(np.unique(here)) > 10


def test_time_limits_and_a_lost_scheduler(dask_processes: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (dask_processes.folder / "slow_work.py").write_text(WAIT)  # the workers' own folder: they can import it
    monkeypatch.syspath_prepend(dask_processes.folder)
    wait = importlib.import_module("slow_work").wait
    cluster = dask_cluster(dask_processes.ready())
    done = list(ordered_map(wait, [0.0, 60.0, 0.01], chunk=1, timeout=0.5, make_executor=cluster))
    assert [d.item for d in done] == [0.0, 60.0, 0.01]
    assert isinstance(done[1].value, Lost) and done[1].value.stage == "timeout"
    assert [d.value for d in (done[0], done[2])] == [0.0, 0.01]
    results = ordered_map(wait, [0.0] + [1.0] * 200, chunk=1, make_executor=cluster)
    next(results)
    threading.Timer(1.0, dask_processes.scheduler.kill).start()
    with pytest.raises(AffinityZooError, match="the Dask scheduler at .* does not answer"):
        list(results)


def test_no_scheduler_is_said() -> None:
    pytest.importorskip("distributed")
    import dask

    quickly = dask.config.set({"distributed.comm.timeouts.connect": "0.5s"})
    with quickly, pytest.raises(UsageError, match="no Dask scheduler answers at tcp://127.0.0.1:9"):
        dask_cluster("tcp://127.0.0.1:9")
