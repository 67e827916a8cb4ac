"""Models ready to score, with read options and outputs from their recipes and cards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.zoo.batches.batches import BatchMaker, Imaging, choose_place
from affinity_zoo.zoo.data.readers import ReadOptions
from affinity_zoo.zoo.inference.half_precision import check_half_precision, in_half_precision
from affinity_zoo.zoo.inference.outputs import Done, nothing_done, outputs
from affinity_zoo.zoo.inference.pooled import PooledBatches, after_pooling
from affinity_zoo.zoo.runtime.device import find_device

if TYPE_CHECKING:
    import keras

    from affinity_zoo.zoo.batches.pairs import Pairs
    from affinity_zoo.zoo.inference.choices import ScoringChoices
    from affinity_zoo.zoo.models.loading import Model


@dataclass(frozen=True, eq=False)
class ReadyModel:
    """A model, ready to score."""

    model: Model
    options: ReadOptions  #: how its training data were read
    names: tuple[str, ...]  #: of its outputs, in order
    corrections: dict[str, float]  #: of its logits, by name: added before the sigmoid
    pooled: Any = None  #: the model without its first pooling, for images that are pooled already; or None

    def batches(self, pairs: Pairs, voxelize: str = "auto") -> BatchMaker:
        """Return the maker of this model's batches.

        Args:
            pairs: receptors and ligands.
            voxelize: where images are made: ``auto``, ``host`` or ``device``.
        """
        featurizer, box = self.model.featurizer, self.model.box
        place = choose_place(featurizer, box, voxelize, find_device().accelerator)
        imaging = Imaging(featurizer, box, place=place)
        if self.pooled is not None and place == "host":
            return PooledBatches(pairs, imaging)
        return BatchMaker(pairs, imaging)

    def network(self, maker: BatchMaker, choices: ScoringChoices) -> keras.Model:
        """Return the network for the batches of a maker, in the precision of the choices.

        Args:
            maker: from :meth:`batches`.
            choices: how to score.

        Raises:
            UsageError: half precision is wanted, and this device or this network cannot compute in it.
        """
        network = self.pooled if isinstance(maker, PooledBatches) else self.model.network
        if not choices.mixed_precision:
            return network
        check_half_precision(network, self.model.folder.name)
        return in_half_precision(network)

    def outputs(
        self, maker: BatchMaker, rows: NDArray[np.int64], choices: ScoringChoices, done: Done = nothing_done
    ) -> NDArray[np.float64]:
        """Run the model over rows in the views of the choices.

        Args:
            maker: from :meth:`batches`.
            rows: (n,) row numbers of the maker's pairs.
            choices: with a number of views.
            done: called with the number of images finished.

        Returns:
            (n, views, outputs) float64: logits, pK or Å as the network gives them.
        """
        views = choices.fixed_views()
        found = outputs(
            self.network(maker, choices), maker, rows, views, choices.batch_size, choices.threads, done
        )
        return found.astype(np.float64)


def ready(model: Model) -> ReadyModel:
    """Prepare a loaded model for scoring from its card and recipe.

    Args:
        model: as loaded; the network without its pooling is made once and kept as long as the model.
    """
    described = model.card.get("outputs") or ({"name": "pose"},)
    common = float(model.card.get("logit_correction") or 0.0)
    return ReadyModel(
        model,
        ReadOptions.from_dict(model.recipe.data.read_options),
        tuple(str(output["name"]) for output in described),
        {str(output["name"]): float(output.get("logit_correction", common)) for output in described},
        after_pooling(model),
    )
