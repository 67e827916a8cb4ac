"""A featurizer under test, with test structures and a method to image them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from affinity_zoo.plugins.checks import require
from affinity_zoo.plugins.contracts import Atoms, Box, Featurizer
from affinity_zoo.plugins.samples import sample_atoms

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class FeaturizerUnderTest:
    """A featurizer under test, with test structures."""

    instance: Featurizer
    kind: str = "featurizer"

    @property
    def cls(self) -> type[Featurizer]:
        """Class of the instance under test."""
        return type(self.instance)

    @cached_property
    def receptor(self) -> Atoms:
        """A made-up receptor."""
        return sample_atoms("receptor", 90, radius=min(8.0, 0.45 * self.box.extent))

    @cached_property
    def ligand(self) -> Atoms:
        """A made-up ligand in the middle of the box."""
        return sample_atoms("ligand", 25, radius=min(4.0, 0.25 * self.box.extent))

    @property
    def box(self) -> Box:
        """The box to image: the featurizer's own."""
        return self.instance.default_box

    @property
    def host(self) -> bool:
        """Whether it makes the whole image itself."""
        return self.cls.image is not Featurizer.image

    @cached_property
    def layer(self) -> Any:
        """The Keras layer that makes its images."""
        from affinity_zoo.featurizers import layers  # the only import from outside the plugin system

        return layers.for_featurizer(self.instance, self.box)

    @cached_property
    def plain(self) -> NDArray[np.float32]:
        """Image of the unmoved structures, (D, D, D, C)."""
        return self.image(self.receptor, self.ligand)

    def image(
        self,
        receptor: Atoms,
        ligand: Atoms,
        rotation: NDArray[np.float64] | None = None,
        shift: tuple[float, float, float] = (0.0, 0.0, 0.0),
        padding: int = 0,
    ) -> NDArray[np.float32]:
        """Return one image, centred on the origin.

        Args:
            receptor: Atoms of the receptor.
            ligand: Atoms of the ligand.
            rotation: (3, 3) rotation matrix; None: no rotation.
            shift: (3,) Å.
            padding: Number of padding atoms.
        """
        import numpy as np

        if self.host:
            turn = np.eye(3, dtype=np.float32) if rotation is None else np.asarray(rotation, np.float32)
            made = self.instance.image(receptor, ligand, self.box, turn, np.asarray(shift, np.float32))
            require(made is not None, "image() returns None although the class overrides it")
            return np.asarray(made)
        return to_numpy(self.layer(self.batch([(receptor, ligand)], rotation, shift, padding)))[0]

    def batch(
        self,
        pairs: list[tuple[Atoms, Atoms]],
        rotation: NDArray[np.float64] | None = None,
        shift: tuple[float, float, float] = (0.0, 0.0, 0.0),
        padding: int = 0,
    ) -> dict[str, NDArray[Any]]:
        """Return the layer's input for some pairs, padded to the longest plus ``padding`` atoms.

        Args:
            pairs: Receptor and ligand of each sample.
            rotation: (3, 3) rotation matrix; None: no rotation.
            shift: (3,) Å.
            padding: Number of padding atoms.
        """
        import numpy as np

        parts = [[(atoms.xyz, self.instance.encode(atoms)) for atoms in pair] for pair in pairs]
        longest = max(sum(len(xyz) for xyz, _ in pair) for pair in parts) + padding
        turn = np.eye(3) if rotation is None else rotation
        vector = any(encoding.values is not None for pair in parts for _, encoding in pair)
        n, c = len(parts), len(self.instance.channels)
        batch: dict[str, NDArray[Any]] = {
            "xyz": np.zeros((n, longest, 3), np.float32),
            "radius": np.ones((n, longest), np.float32),
            "rotation": np.repeat(np.asarray(turn, np.float32)[None], n, 0),
            "shift": np.repeat(np.asarray(shift, np.float32)[None], n, 0),
        }
        if vector:
            batch["values"] = np.zeros((n, longest, c), np.float32)
        else:
            batch["channel"] = np.full((n, longest), -1, np.int32)
            batch["value"] = np.zeros((n, longest), np.float32)
        for i, pair in enumerate(parts):
            start = 0
            for xyz, encoding in pair:
                rows = slice(start, start + len(xyz))
                start += len(xyz)
                batch["xyz"][i, rows], batch["radius"][i, rows] = xyz, encoding.radius
                if vector:
                    batch["values"][i, rows] = encoding.values
                else:
                    batch["channel"][i, rows] = encoding.channel
                    batch["value"][i, rows] = 1.0 if encoding.value is None else encoding.value
        return batch


def to_numpy(tensor: Any) -> NDArray[np.float32]:
    """Return a tensor of any backend as float32.

    Args:
        tensor: Tensor of the Keras backend.
    """
    import keras
    import numpy as np

    return np.array(keras.ops.convert_to_numpy(keras.ops.cast(tensor, "float32")))


def rotation_matrix() -> NDArray[np.float64]:
    """Return a rotation about a skew axis by an odd angle."""
    import numpy as np

    x, y, z, w = np.array([0.3, -0.5, 0.2, 0.78]) / np.linalg.norm([0.3, -0.5, 0.2, 0.78])
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
