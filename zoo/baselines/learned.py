"""The baselines that learn from the index a model was trained on."""

from __future__ import annotations

from pathlib import Path

from affinity_zoo.plugins.contracts import Baseline
from affinity_zoo.plugins.errors import AffinityZooError

LEARNED = ("nearest-training-ligand", "ligand-only", "receptor-only", "receptor-only-site")


def learned_baselines(trained_on: Path | None) -> list[Baseline]:
    """What stands beside a model that was trained on this index; nothing where the index is gone."""
    from affinity_zoo.zoo.catalog.registry import catalog
    from affinity_zoo.zoo.data.store.dataset import Dataset

    try:
        if trained_on is None or not len(Dataset.open(trained_on).rows("train")):
            return []
    except AffinityZooError:
        return []
    options = {"training": str(trained_on.resolve())}
    return [catalog().create("baseline", name, options) for name in LEARNED]
