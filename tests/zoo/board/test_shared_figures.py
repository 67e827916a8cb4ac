"""Figures known of the development data, taken again by these scorers: no structure is read."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from affinity_zoo.plugins.contracts import Predictions
from affinity_zoo.zoo.judging.judge import judge
from affinity_zoo.zoo.judging.predictions import make_predictions
from affinity_zoo.zoo.scorers.enrichment import Enrichment
from affinity_zoo.zoo.scorers.rescored import with_score
from affinity_zoo.zoo.scorers.roc_auc import RocAuc, RocAucPerComplex

pytestmark = pytest.mark.shared


def table(folder: Path) -> dict[str, np.ndarray]:
    with (folder / "index.csv").open() as file:
        rows = list(csv.DictReader(file))
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


@pytest.fixture(scope="module")
def csar(unpacked: Callable[[str], Path]) -> Predictions:
    t = table(unpacked("csar_pose"))
    return make_predictions(
        id=t["ligand"], score=-t["vina_score"].astype(float), pose_label=t["label"].astype(float),
        rmsd=t["rmsd"].astype(float), target=t["complex"], molecule=t["complex"],
        source=np.full(len(t["label"]), "docked"),
    )  # fmt: skip


@pytest.fixture(scope="module")
def screening(unpacked: Callable[[str], Path]) -> Predictions:
    t = table(unpacked("screening"))
    return make_predictions(
        id=t["id"], score=t["n_lig_heavy"].astype(float), active=t["label"].astype(float), target=t["set"],
        molecule=t["name"],
    )  # fmt: skip


def test_vina_is_poor_pooled_and_good_within_complexes(csar: Predictions) -> None:
    found = judge(csar, replicates=200)
    assert found["roc-auc"].value == pytest.approx(0.614, abs=0.001)
    assert found["roc-auc-per-complex"].value == pytest.approx(0.913, abs=0.001)
    assert found["top-1"].value == pytest.approx(83.7, abs=0.5)
    assert found["top-1"].details["units"] + found["top-1"].details["left_out"] == 203
    assert found["roc-auc-per-complex"].interval["drawn"] == 203


def test_a_constant_score_is_chance_though_the_file_is_sorted_by_vina(csar: Predictions) -> None:
    for metric in judge(with_score(csar, np.zeros(len(csar))), replicates=0).values():
        if "chance" in metric.details:
            assert metric.value == pytest.approx(metric.details["chance"]), metric.name


def test_ligand_size_alone_finds_actives(screening: Predictions) -> None:
    for name, area in (("ACHE_pets_training", 0.70), ("HMGR_pets_training", 0.84)):
        rows = np.flatnonzero(screening.target == name)
        part = make_predictions(
            id=screening.id[rows],
            score=screening.score[rows],
            active=screening.active[rows],
            target=screening.target[rows],
        )
        assert RocAuc().score(part, "active").value == pytest.approx(area, abs=0.006)
    found = RocAucPerComplex().score(screening, "active")
    assert (found.details["units"], found.details["left_out"]) == (2, 1)  # a set of actives only


def test_the_highest_enrichment_is_that_of_the_set(screening: Predictions) -> None:
    found = Enrichment(percent=5.0).score(screening, "active")
    assert found.details["highest"] == pytest.approx((365 / 166 + 1036 / 113) / 2)
