"""The measurements themselves: inputs, the report's form, errors, and parity with molgrid where it is at hand."""

from __future__ import annotations

import json
import os
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from affinity_zoo.cli import app
from affinity_zoo.featurizers import kernels as image_kernels
from affinity_zoo.featurizers.views import rotation_matrices
from affinity_zoo.plugins.contracts import Box
from affinity_zoo.plugins.errors import AffinityZooError, UsageError
from affinity_zoo.zoo.speed import feed, inputs, kernels, suite

#: an interpreter with molgrid, for the tests that compare with it
PEER = os.environ.get("AFFINITY_ZOO_PEER_PYTHON")


def test_inputs_survive_a_file(tmp_path: Path) -> None:
    made = inputs.synthetic_complexes(3)
    path = tmp_path / "inputs.npz"
    inputs.save_inputs(path, made)
    read = inputs.load_inputs(path)
    assert [one.id for one in read] == [one.id for one in made]
    for a, b in zip(made, read, strict=True):
        for (xyz, encoding), (other, again) in zip(a.parts, b.parts, strict=True):
            np.testing.assert_array_equal(xyz, other)
            np.testing.assert_array_equal(encoding.channel, again.channel)
            np.testing.assert_array_equal(encoding.radius, again.radius)


def test_synthetic_complexes_have_realistic_counts() -> None:
    """The real inputs of the project's figures: 956 receptor atoms near a 24 Å box on average, 24.5 in a ligand."""
    box = Box(48, 0.5)
    for one in inputs.synthetic_complexes(5):
        view = (one.centre, np.eye(3, dtype=np.float32), np.zeros(3, np.float32))
        near = len(image_kernels.visible("gaussian", box, *one.receptor, *view))
        assert 850 < near < 1150
        assert len(one.ligand[0]) == 25
        tags = one.tagged()
        assert set(np.unique(tags[0][1].value)) <= {26, 27, 28, 29, 32}
        assert set(np.unique(tags[1][1].value)) <= {6, 7, 8, 9, 12}


def test_bad_inputs_are_named(tmp_path: Path) -> None:
    text = tmp_path / "no.npz"
    text.write_text("not a zip")
    empty = tmp_path / "empty.npz"
    np.savez(empty, a=np.zeros(3))
    for path in (text, empty, tmp_path / "missing.npz"):
        with pytest.raises(AffinityZooError, match=path.name):
            inputs.load_inputs(path)


def test_feed_is_measured_for_both_featurizers_places_and_thread_counts() -> None:
    rows = feed.measure(seconds=0.05)
    assert {(row["featurizer"], row["place"], row["threads"]) for row in rows} == {
        (featurizer, place, threads)
        for featurizer in ("element-tag", "atom-types")
        for place in ("host", "device")
        for threads in (1, 2)
    }
    assert all(row["poses_per_s"] > 0 and row["poses_per_cpu_s"] > 0 for row in rows)
    # an image of 40^3 float32 voxels; atoms take a small part of it
    sizes = {(row["featurizer"], row["place"]): row["bytes_per_pose"] for row in rows}
    assert sizes["element-tag", "host"] == 40**3 * 4
    assert sizes["element-tag", "device"] < 20_000


def test_the_feed_alone_as_json(monkeypatch: pytest.MonkeyPatch, cli) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(feed, "measure", partial(feed.measure, seconds=0.02))
    code, out, err = cli("speed", "--only", "feed", "--json")
    assert code == 0, err
    report = json.loads(out)
    assert set(report) == {"feed"} and len(report["feed"]) == 8
    assert all(set(row) == {"featurizer", "place", "threads", "poses_per_s"} for row in report["feed"])


def test_report_without_a_peer() -> None:
    grids = [kernels.Grid(8, 1.0, "gaussian"), kernels.Grid(8, 1.0, "nearest")]
    rows = kernels.time_kernels(inputs.synthetic_complexes(2), passes=1, grids=grids)
    assert [row["grid"] for row in rows] == [
        "8^3 at 1 Å gaussian, 28 channels",
        "8^3 at 1 Å nearest, 1 channel",
    ]
    for row in rows:
        assert row["ours_per_s"] > 0
        assert row["peer_per_s"] is None and row["ratio"] is None


def test_wrong_calls_are_refused(tmp_path: Path) -> None:
    some = inputs.synthetic_complexes(1)
    with pytest.raises(UsageError, match="molgrid"):
        kernels.time_kernels(some, peer="gridmol", peer_python="python")
    with pytest.raises(UsageError, match="peer_python"):
        kernels.time_kernels(some, peer="molgrid")
    with pytest.raises(AffinityZooError, match="cannot be started"):
        kernels.time_kernels(some, "molgrid", str(tmp_path / "none"), 1, kernels.GRIDS[3:4])
    with pytest.raises(UsageError, match="cooking"):
        suite.measure(parts=("cooking",))
    with pytest.raises(UsageError, match="passes"):
        suite.measure(passes=0)


def test_command_prints_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        kernels,
        "time_kernels",
        lambda *a, **k: [{"grid": "g", "ours_per_s": 2.0, "peer_per_s": 1.0, "ratio": 2.0, "target": ""}],
    )
    done = CliRunner().invoke(app, ["speed", "--only", "kernels", "--json"])
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    assert {"grid", "ours_per_s", "peer_per_s", "ratio"} <= set(report["kernels"][0])
    assert report["libraries"]["numba"] and report["machine"]["cores"]
    shown = CliRunner().invoke(app, ["speed", "--only", "kernels"])
    assert shown.exit_code == 0 and "Kernels, one core" in shown.stdout


def test_quaternions_and_matrices_agree() -> None:
    """The peer is told quaternions, the kernels matrices."""
    u = np.random.default_rng(0).random(3)
    first, second = np.sqrt(1 - u[0]), np.sqrt(u[0])
    quaternion = (
        second * np.cos(2 * np.pi * u[2]),
        first * np.sin(2 * np.pi * u[1]),
        first * np.cos(2 * np.pi * u[1]),
        second * np.sin(2 * np.pi * u[2]),
    )
    np.testing.assert_allclose(kernels.matrix(np.array(quaternion)), rotation_matrices(u[None])[0], atol=1e-6)


@pytest.mark.skipif(PEER is None, reason="AFFINITY_ZOO_PEER_PYTHON names no interpreter with molgrid")
@pytest.mark.parametrize(("side", "most"), [(48, 1e-4), (24, 1e-4)])
def test_same_grid_as_molgrid(side: int, most: float) -> None:
    assert PEER is not None
    found = kernels.compare_with_peer(inputs.synthetic_complexes(5), PEER, side)
    assert found["gaussian"] < most
    assert found["binary"] < 1e-6


def test_scoring_is_timed_from_file_to_file(tmp_path: Path) -> None:
    """The form of the report; with an interpreter that has molgrid and torch, the same scores too."""
    arguments = ["speed", "score", "--poses", "4", "--rounds", "1", "--batch-size", "2", "--json"]
    peer = os.environ.get("AFFINITY_ZOO_TORCH_PEER_PYTHON")
    result = CliRunner().invoke(app, [*arguments, *(["--peer-python", peer] if peer else [])])
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert report["poses"] == report["scored"] == 4 and report["ours_ms"][0] > 0
    if peer:
        assert report["ratio"] > 0
        assert max(report["largest_difference"].values()) < 1e-4
    wrong = CliRunner().invoke(app, ["speed", "score", "--receptor", "x.pdb"])
    assert isinstance(wrong.exception, UsageError) and "both -r and -l" in str(wrong.exception)
