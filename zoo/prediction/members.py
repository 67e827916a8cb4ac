"""The models of a prediction, loaded once in each process, and their outputs on poses."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.featurizers import views as view_rules
from affinity_zoo.plugins.contracts import Atoms
from affinity_zoo.zoo.batches.batches import BatchMaker, Imaging, Inputs, choose_place
from affinity_zoo.zoo.data.readers import ReadOptions
from affinity_zoo.zoo.models.loading import Model, load_model
from affinity_zoo.zoo.prediction.chunks import Task
from affinity_zoo.zoo.prediction.fused import after_pooling, pooled_images
from affinity_zoo.zoo.prediction.inputs import stamp
from affinity_zoo.zoo.prediction.reading import Pose

_MOST = 8  #: models kept besides those in use
_GIVEN = b"given"
#: by directory: the stamp of its file when it was loaded, or that it was given, and the model
_loaded: dict[str, tuple[bytes, Member]] = {}
_lock = threading.Lock()


@dataclass(frozen=True, eq=False)
class Member:
    """One model of an ensemble."""

    model: Model
    options: ReadOptions  #: how its training data were read
    names: tuple[str, ...]  #: of its outputs, in order
    corrections: dict[str, float]  #: of its logits, by name
    pooled: Any = None  #: the model without its first pooling, for images that are pooled already; or None

    def outputs(
        self, poses: Sequence[Pose], task: Task, advance: Callable[[int], None]
    ) -> NDArray[np.float64]:
        """Score poses in fixed views: (n, views, outputs) float64."""
        from affinity_zoo.zoo.inference import outputs as inference
        from affinity_zoo.zoo.runtime.device import find_device

        if not poses:
            return np.zeros((0, task.views, len(self.names)))
        featurizer, box = self.model.featurizer, self.model.box
        place = choose_place(featurizer, box, task.voxelize, find_device().accelerator)
        fused = self.pooled if place == "host" else None
        maker = PoseBatches(poses, Imaging(featurizer, box, place=place), task.seed, pooled=fused is not None)
        # whole batches of few sizes, so that the network is compiled for few
        size = min(task.batch_size, 1 << (len(poses) - 1).bit_length())
        rows = np.arange(-(-len(poses) // size) * size) % len(poses)
        network = fused or self.model.network
        found = inference.outputs(network, maker, rows, task.views, size, task.threads, advance)
        return found[: len(poses)].astype(np.float64)


@dataclass(frozen=True, eq=False)
class ChunkPairs:
    """The readable poses of a chunk as the batches need them: row i is pose i; receptors come after them."""

    poses: Sequence[Pose]

    def __post_init__(self) -> None:
        receptors = {id(pose.protein): pose.protein for pose in self.poses}
        object.__setattr__(self, "_places", {key: k for k, key in enumerate(receptors)})
        object.__setattr__(self, "_proteins", list(receptors.values()))

    def __len__(self) -> int:
        return len(self.poses)

    def structures(self, row: int) -> tuple[int, int]:
        """Return the numbers of a row's receptor and ligand."""
        return len(self.poses) + self._places[id(self.poses[row].protein)], row  # type: ignore[attr-defined]

    def atoms(self, structure: int) -> Atoms:
        """Return the atoms of a structure."""
        if structure >= len(self.poses):
            return self._proteins[structure - len(self.poses)].atoms  # type: ignore[attr-defined, no-any-return]
        found = self.poses[structure].atoms
        assert found is not None
        return found


class PoseBatches(BatchMaker):
    """Batches of poses in views that depend on a pose's record number alone."""

    def __init__(self, poses: Sequence[Pose], imaging: Imaging, seed: int, pooled: bool = False) -> None:
        super().__init__(ChunkPairs(poses), imaging, seed)
        self._pooled = pooled
        self._records = np.array([pose.record for pose in poses], np.int64)

    def evaluation(self, rows: NDArray[np.int64], view: int) -> Inputs:
        """Make a batch in the fixed view of number ``view`` (0: as it lies in the file)."""
        loaded = [self._load(int(row)) for row in rows]
        view_of_rows = view_rules.evaluation_views(self.seed, self._records[rows], view)
        if self._pooled:
            return {"image": pooled_images(self.imaging.featurizer, self.imaging.box, loaded, *view_of_rows)}
        return self._make(rows, loaded, *view_of_rows)


def members(folders: Sequence[str]) -> list[Member]:
    """The models in these directories; each is loaded when it is first asked for in this process."""
    found = []
    with _lock:
        for folder in folders:
            changed = stamp(str(Path(folder) / "model.keras"))
            known = _loaded.get(folder)
            if known is None or known[0] not in (_GIVEN, changed):
                from affinity_zoo.zoo.runtime.keras import start_keras

                start_keras()
                known = _loaded[folder] = (changed, member_of(load_model(folder)))
                for other in [each for each in _loaded if each not in folders][:-_MOST]:
                    del _loaded[other]
            found.append(known[1])
    return found


def keep(model: Model) -> str:
    """Use a model that is loaded already; returns the name of its directory."""
    folder = str(Path(model.folder).resolve())
    with _lock:
        known = _loaded.get(folder)
        if known is None or known[1].model is not model:
            known = (_GIVEN, member_of(model))
        _loaded[folder] = (_GIVEN, known[1])
    return folder


def release(folder: Path) -> None:
    """Do not use a model that was given by :func:`keep` any more where its directory is asked for."""
    name = str(folder.resolve())
    with _lock:
        if name in _loaded and _loaded[name][0] == _GIVEN:
            del _loaded[name]


def member_of(model: Model) -> Member:
    """Look at the model's card and recipe."""
    outputs = model.card["outputs"]
    common = float(model.card.get("logit_correction", 0.0))
    return Member(
        model,
        ReadOptions.from_dict(model.recipe.data.read_options),
        tuple(str(output["name"]) for output in outputs),
        {str(output["name"]): float(output.get("logit_correction", common)) for output in outputs},
        pooled_model(model),
    )


def pooled_model(model: Model) -> Any:
    """The model for images that are pooled already, where its network begins with average pooling; else None."""
    from affinity_zoo.zoo.models.scoring_model import ScoringModel

    network = after_pooling(model.network.network, model.featurizer, model.box)
    return None if network is None else ScoringModel(network, name="scoring_model_after_pooling")
