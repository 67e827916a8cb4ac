"""Score of a ligand in its receptor, and its gradient with respect to atom positions."""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import ops
from numpy.typing import NDArray

from affinity_zoo.featurizers import kernels
from affinity_zoo.plugins.contracts import Atoms, Encoding, Featurizer
from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.batches.batches import makes_own_image
from affinity_zoo.zoo.batches.encoded import imaged
from affinity_zoo.zoo.models.loading import Model
from affinity_zoo.zoo.runtime.gradients import value_and_gradient
from affinity_zoo.zoo.see.imaging import to_numpy

NO_SHIFT = np.zeros(3, np.float32)
DIFFERENCE = 0.02  #: Å, shift of the receptor for its numerical gradient


def check_positions_count(featurizer: Featurizer, own_layer: bool) -> None:
    """Refuse a featurizer whose image has no gradient with respect to atom positions.

    Args:
        featurizer: An instance with its options.
        own_layer: Whether the featurizer has a custom layer.

    Raises:
        AffinityZooError: the voxelizer is ``nearest`` or ``binary``, or the image is made on the host.
    """
    if makes_own_image(featurizer):
        why = "makes its image on the host, where there are no gradients"
    elif not own_layer and featurizer.voxelization != "gaussian":
        why = (
            f"has the voxelizer {featurizer.voxelization!r}, whose image changes in jumps when an atom moves"
        )
    else:
        return
    raise AffinityZooError(
        f"a model with featurizer {featurizer.name!r} cannot be refined with: it {why}; use a featurizer "
        "with smooth densities, such as "
        "atom-types"
    )


class Field:
    """One output of a model around one receptor.

    Args:
        model, column: the model, and which of its outputs.
        receptor: as read.
        ligand: as read; only its positions change.
    """

    def __init__(self, model: Model, column: int, receptor: Atoms, ligand: Atoms) -> None:
        self._model, self._column = model, column
        self._receptor_atoms, self._ligand_atoms = receptor, ligand
        self._own = model.featurizer.voxelizer(model.box) is not None
        check_positions_count(model.featurizer, self._own)
        self._receptor = imaged(np.asarray(receptor.xyz), model.featurizer.encode(receptor))
        encoding = model.featurizer.encode(ligand)
        self._ligand = imaged(np.asarray(ligand.xyz), encoding)
        used = np.any(encoding.values != 0, axis=1) if encoding.values is not None else encoding.channel >= 0  # type: ignore[operator]
        self._used = np.flatnonzero(used)
        if not len(self._used):
            raise AffinityZooError(
                f"featurizer {model.featurizer.name!r} encodes no atom of the ligand, so the pose cannot be moved"
            )

    def scores(self, xyz: NDArray[np.float64], rotations: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the scores in these views, (V,), equal to those of ``predict``.

        Args:
            xyz: (N, 3) Å.
            rotations: (V, 3, 3), rotations of the views.
        """
        place = xyz[self._used].astype(np.float32)
        centre = _centre(place)
        if self._own:
            images = self._layer()(self._inputs(place, centre, rotations, whole=True))
        else:
            images = self._images(
                [(self._receptor.xyz, self._receptor.encoding), (place, self._ligand.encoding)],
                centre,
                rotations,
            )
        return to_numpy(self._score(images)).astype(np.float64)

    def slope(
        self, xyz: NDArray[np.float64], rotations: NDArray[np.float32]
    ) -> tuple[float, NDArray[np.float64]]:
        """Return the mean score over the views and its gradient (N, 3) per Å, zero for atoms that are not imaged.

        The box follows the ligand's centre; the gradient includes this dependence.

        Args:
            xyz: (N, 3) Å.
            rotations: (V, 3, 3), rotations of the views.

        Raises:
            AffinityZooError: the featurizer's own layer has no gradient with respect to positions.
        """
        place = xyz[self._used].astype(np.float32)
        centre = _centre(place)
        if self._own:
            values, moving, whole = self._slope_by_layer(place, centre, rotations)
        else:
            values, moving, whole = self._slope_by_kernel(place, centre, rotations)
        slope = np.zeros(xyz.shape)
        # a moving ligand atom moves the box by 1 / n: relative to the box all atoms, also the receptor's, move back
        slope[self._used] = moving - whole / len(place)
        return float(values.mean(dtype=np.float64)), slope

    def _slope_by_layer(
        self, place: NDArray[np.float32], centre: NDArray[np.float32], rotations: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float64], NDArray[np.float64]]:
        """Return scores, gradients of the ligand atoms in a fixed box, and the gradient of all atoms together."""
        inputs = self._inputs(place, centre, rotations, whole=True)
        layer, rest = self._layer(), {k: ops.convert_to_tensor(v) for k, v in inputs.items() if k != "xyz"}
        values, slope = value_and_gradient(lambda x: self._score(layer({**rest, "xyz": x})), inputs["xyz"])
        slope = self._checked(slope)
        mean = slope.mean(axis=0, dtype=np.float64)
        return values, mean[: len(place)], mean.sum(axis=0)

    def _slope_by_kernel(
        self, place: NDArray[np.float32], centre: NDArray[np.float32], rotations: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float64], NDArray[np.float64]]:
        """Return the same for additive densities: the network once, then the voxelizer for the ligand atoms only."""
        receptor = [(self._receptor.xyz, self._receptor.encoding)]
        images = self._images([*receptor, (place, self._ligand.encoding)], centre, rotations)
        values, by_voxel = value_and_gradient(self._score, images)
        by_voxel = self._checked(by_voxel)
        inputs = self._inputs(place, centre, rotations, whole=False)
        layer, rest = self._layer(), {k: ops.convert_to_tensor(v) for k, v in inputs.items() if k != "xyz"}
        wanted = ops.convert_to_tensor(by_voxel)
        _, slope = value_and_gradient(lambda x: layer({**rest, "xyz": x}) * wanted, inputs["xyz"])
        moving = self._checked(slope).astype(np.float64)
        whole = moving.sum(axis=(0, 1))
        for axis in range(3):  # the receptor as a whole: by images shifted in both directions
            shift = np.zeros(3, np.float32)
            shift[axis] = DIFFERENCE
            change = self._images(receptor, centre, rotations, shift) - self._images(
                receptor, centre, rotations, -shift
            )
            along = np.einsum("vxyzc,vxyzc->v", by_voxel, change, optimize=True) / (2 * DIFFERENCE)
            whole += along @ rotations[:, axis, :]
        return values, moving.mean(axis=0), whole / len(rotations)

    def _checked(self, slope: NDArray[np.float32] | None) -> NDArray[np.float32]:
        if slope is None or not np.isfinite(slope).all():
            raise AffinityZooError(
                f"the voxelizer of featurizer {self._model.featurizer.name!r} has no gradient with respect to positions"
            )
        return slope

    def _layer(self) -> Any:
        return self._model.network.voxelizer

    def _score(self, images: Any) -> Any:
        return self._model.network.network(images, training=False)[:, self._column]

    def _images(
        self,
        parts: list[tuple[NDArray[np.float32], Encoding]],
        centre: NDArray[np.float32],
        rotations: NDArray[np.float32],
        shift: NDArray[np.float32] = NO_SHIFT,
    ) -> NDArray[np.float32]:
        channels = len(self._model.featurizer.channels)
        return np.stack(
            [
                kernels.voxelize("gaussian", self._model.box, channels, parts, centre, rotation, shift)
                for rotation in rotations
            ]
        )

    def _inputs(
        self,
        place: NDArray[np.float32],
        centre: NDArray[np.float32],
        rotations: NDArray[np.float32],
        whole: bool,
    ) -> dict[str, NDArray[Any]]:
        """Return the input of a voxelizer layer: ligand atoms, then, if ``whole``, receptor atoms."""
        parts: list[tuple[NDArray[np.float32], Encoding]] = [(place, self._ligand.encoding)]
        if whole:
            parts.append((self._receptor.xyz, self._receptor.encoding))
        views = len(rotations)
        columns: dict[str, NDArray[Any]] = {
            "xyz": np.concatenate([xyz - centre for xyz, _ in parts]),
            "radius": np.concatenate([encoding.radius for _, encoding in parts]),
        }
        for name in ("channel", "value", "values"):
            if getattr(parts[0][1], name) is not None:
                columns[name] = np.concatenate([getattr(encoding, name) for _, encoding in parts])
        batch = {name: np.repeat(column[None], views, axis=0) for name, column in columns.items()}
        return {
            **batch,
            "rotation": np.ascontiguousarray(rotations, np.float32),
            "shift": np.zeros((views, 3), np.float32),
        }


def _centre(place: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(place.mean(axis=0, dtype=np.float64), np.float32)
