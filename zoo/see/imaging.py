"""Images of one complex with a weight for every atom: 1 unchanged, 0 absent."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.featurizers import kernels
from affinity_zoo.featurizers.views import centre as ligand_centre
from affinity_zoo.plugins.contracts import Atoms, Box, Encoding, Featurizer
from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.batches.batches import makes_own_image, padded_size

How = Literal["kernel", "layer", "host"]
HOST_REACH = 3.0  #: Å beyond the box within which a featurizer of whole images may use an atom


class WeightedImager:
    """Makes images of one complex, by the compiled kernel, a featurizer's own layer, or the featurizer itself.

    Atoms are numbered receptor first, then ligand: ``n`` in all.

    Args:
        featurizer, box: what the image is made by.
        receptor, ligand: the complex; the box is centred on this ligand for all weights.
        layer: the voxelizer of the model, needed where it is the featurizer's own and has weights.
    """

    def __init__(
        self, featurizer: Featurizer, box: Box, receptor: Atoms, ligand: Atoms, layer: Any = None
    ) -> None:
        self.featurizer, self.box = featurizer, box
        self.receptor, self.ligand = receptor, ligand
        self.n = len(receptor) + len(ligand)
        self.channels = len(featurizer.channels)
        own = None if makes_own_image(featurizer) else featurizer.voxelizer(box)
        self.how: How = "host" if makes_own_image(featurizer) else "kernel" if own is None else "layer"
        self._layer = layer if layer is not None else own
        self.xyz = np.concatenate([receptor.xyz, ligand.xyz]).astype(np.float32)
        if self.how == "host":
            self.centre = np.asarray(ligand.xyz.astype(np.float64).mean(axis=0), np.float32)
            self.unknown = 0
            imaged = np.ones(self.n, bool)
            reach = np.full(self.n, HOST_REACH)
        else:
            parts = featurizer.encode(receptor), featurizer.encode(ligand)
            self.centre = ligand_centre(ligand.xyz, parts[1])
            self.unknown = sum(part.unknown for part in parts)
            self._encoding = _joined(parts)
            imaged = _imaged(self._encoding)
            reach = 1.5 * self._encoding.radius + 0.5 * box.spacing
        distance = np.linalg.norm(self.xyz - self.centre, axis=1)
        #: numbers of the atoms that can leave a trace in some view: (m,) int64
        self.seen = np.flatnonzero(imaged & (distance <= 0.5 * np.sqrt(3.0) * box.extent + reach))

    @property
    def layer(self) -> Any:
        """The Keras layer that makes these images from :meth:`inputs`."""
        if self._layer is None:
            from affinity_zoo.featurizers import layers

            self._layer = layers.for_featurizer(self.featurizer, self.box)
        return self._layer

    def images(
        self, rotations: NDArray[np.float32], weights: NDArray[np.float32] | None = None
    ) -> NDArray[np.float32]:
        """Make an image for each rotation.

        Args:
            rotations: (B, 3, 3).
            weights: (B, n); a featurizer that makes whole images knows only 0 (gone) and 1. None: all 1.

        Returns:
            (B, D, D, D, C) float32.
        """
        weights = np.ones((len(rotations), self.n), np.float32) if weights is None else weights
        if self.how == "layer":
            return to_numpy(self.layer(self.inputs(rotations, weights)))
        made = np.empty((len(rotations), *(self.box.side,) * 3, self.channels), np.float32)
        for image, rotation, weight in zip(made, rotations, weights, strict=True):
            if self.how == "host":
                image[...] = self._host_image(rotation, weight > 0)
            else:
                part = self.xyz[self.seen], _weighted(_take(self._encoding, self.seen), weight[self.seen])
                kernels.voxelize(
                    self.featurizer.voxelization, self.box, self.channels, [part], self.centre, rotation,
                    np.zeros(3, np.float32), out=image,
                )  # fmt: skip
        return made

    def inputs(
        self, rotations: NDArray[np.float32], weights: NDArray[np.float32] | None = None
    ) -> dict[str, NDArray[Any]]:
        """The dict that a voxelizer layer takes, with the atoms of :attr:`seen` in their order, then padding.

        An atom of weight 0 is padding too: a layer that does not look at values must not see it either.

        Args:
            rotations: (B, 3, 3).
            weights: (B, n) weights of the atoms; None: all 1.
        """
        batch, m = len(rotations), len(self.seen)
        size = padded_size(m)
        part = _take(self._encoding, self.seen)
        found: dict[str, NDArray[Any]] = {
            "xyz": np.zeros((batch, size, 3), np.float32),
            "radius": np.ones((batch, size), np.float32),
            "rotation": np.ascontiguousarray(rotations, np.float32),
            "shift": np.zeros((batch, 3), np.float32),
        }
        found["xyz"][:, :m] = self.xyz[self.seen] - self.centre
        found["radius"][:, :m] = part.radius
        weight = np.ones((batch, m), np.float32) if weights is None else weights[:, self.seen]
        if part.values is not None:
            found["values"] = np.zeros((batch, size, self.channels), np.float32)
            found["values"][:, :m] = part.values * weight[:, :, None]
            return found
        assert part.channel is not None and part.value is not None
        found["channel"] = np.full((batch, size), -1, np.int32)
        found["channel"][:, :m] = np.where(weight != 0, part.channel, -1)
        found["value"] = np.zeros((batch, size), np.float32)
        found["value"][:, :m] = part.value * weight
        return found

    def _host_image(self, rotation: NDArray[np.float32], keep: NDArray[np.bool_]) -> NDArray[np.float32]:
        split = len(self.receptor)
        ligand = take(self.ligand, keep[split:])
        if not len(ligand):
            raise AffinityZooError(
                f"featurizer {self.featurizer.name!r} cannot image a complex without its ligand: "
                "the ligand has a single atom, so nothing can be left out"
            )
        # the featurizer centres on the given ligand: the shift moves the box back
        moved = ligand.xyz.astype(np.float64).mean(axis=0) - self.centre
        shift = (rotation.astype(np.float64) @ moved).astype(np.float32)
        image = self.featurizer.image(take(self.receptor, keep[:split]), ligand, self.box, rotation, shift)
        shape = (*(self.box.side,) * 3, self.channels)
        if image is None or image.shape != shape:
            raise AffinityZooError(
                f"featurizer {self.featurizer.name!r} returned an image of shape "
                f"{None if image is None else image.shape}, not {shape}: ask its author"
            )
        return image


def take(atoms: Atoms, which: NDArray[Any]) -> Atoms:
    """Select atoms by a mask or by numbers.

    Args:
        atoms: N heavy atoms, positions in Å.
        which: Mask or atom numbers.
    """
    columns = {f.name: getattr(atoms, f.name)[which] for f in fields(atoms) if f.name != "role"}
    return replace(atoms, **columns)


def to_numpy(tensor: Any) -> NDArray[np.float32]:
    """Convert a tensor of any backend to float32 on the host.

    Args:
        tensor: Tensor of the running Keras backend.
    """
    import keras

    return np.asarray(keras.ops.convert_to_numpy(tensor), np.float32)


def _joined(parts: tuple[Encoding, Encoding]) -> Encoding:
    radius = np.concatenate([part.radius for part in parts]).astype(np.float32)
    if parts[0].values is not None and parts[1].values is not None:
        return Encoding(radius=radius, values=np.concatenate([parts[0].values, parts[1].values]))
    channels, values = [], []
    for part in parts:
        if part.channel is None:
            raise AffinityZooError("an Encoding needs `channel` or `values`: ask the featurizer's author")
        channels.append(part.channel)
        values.append(np.ones(len(part.channel), np.float32) if part.value is None else part.value)
    return Encoding(
        radius=radius,
        channel=np.concatenate(channels).astype(np.int32),
        value=np.concatenate(values).astype(np.float32),
    )


def _imaged(encoding: Encoding) -> NDArray[np.bool_]:
    if encoding.values is not None:
        return np.asarray(np.any(encoding.values != 0, axis=1))
    assert encoding.channel is not None
    return encoding.channel >= 0


def _take(encoding: Encoding, which: NDArray[np.int64]) -> Encoding:
    def part(column: Any) -> Any:
        return None if column is None else column[which]

    return Encoding(
        encoding.radius[which], part(encoding.channel), part(encoding.value), part(encoding.values)
    )


def _weighted(encoding: Encoding, weight: NDArray[np.float32]) -> Encoding:
    if encoding.values is not None:
        return replace(encoding, values=(encoding.values * weight[:, None]).astype(np.float32))
    assert encoding.value is not None
    return replace(encoding, value=(encoding.value * weight).astype(np.float32))
