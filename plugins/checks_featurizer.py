"""Conformance of a featurizer: its atom encodings and the images made from them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from affinity_zoo.plugins.checks import SHARED, Skip, fingerprint, require, same
from affinity_zoo.plugins.contracts import Encoding, Featurizer, Role
from affinity_zoo.plugins.imaging import FeaturizerUnderTest, rotation_matrix, to_numpy
from affinity_zoo.plugins.samples import moved, sample_atoms

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ROLES: tuple[Role, Role] = ("receptor", "ligand")


def channels_are_named(subject: FeaturizerUnderTest) -> None:
    """Channels are a tuple of distinct, non-empty names, constant over calls."""
    names = subject.instance.channels
    require(isinstance(names, tuple) and names, f"channels is {names!r}, not a tuple of names")
    require(all(isinstance(n, str) and n for n in names), "a channel's name is not a text")
    require(len(set(names)) == len(names), "two channels have the same name")
    require(names == subject.instance.channels, "channels differ from one call to the next")


def encoding_has_its_shapes(subject: FeaturizerUnderTest) -> None:
    """Encodings have the shapes, dtypes and ranges of the contract, for both roles and for no atoms."""
    for role in ROLES:
        for n in (0, 1, 300):
            encoding = subject.instance.encode(sample_atoms(role, n))
            require(
                isinstance(encoding, Encoding), f"encode returned {type(encoding).__name__}, not Encoding"
            )
            _check_encoding(encoding, n, subject.instance, f"{role} of {n} atoms")


def encoding_is_repeatable(subject: FeaturizerUnderTest) -> None:
    """The same atoms are encoded the same way each time, and by an equal featurizer."""
    other = subject.cls(**subject.instance.options())
    for atoms in (subject.receptor, subject.ligand):
        first = _arrays(subject.instance.encode(atoms))
        require(
            fingerprint(first) == fingerprint(_arrays(subject.instance.encode(atoms))), "two calls differ"
        )
        require(
            fingerprint(first) == fingerprint(_arrays(other.encode(atoms))), "an equal featurizer differs"
        )


def encoding_ignores_position(subject: FeaturizerUnderTest) -> None:
    """An encoding does not depend on position: it is computed once per structure."""
    import numpy as np

    for atoms in (subject.receptor, subject.ligand):
        away = moved(atoms, rotation_matrix(), np.array([5.0, -3.0, 40.0]))
        here, there = _arrays(subject.instance.encode(atoms)), _arrays(subject.instance.encode(away))
        require(
            fingerprint(here) == fingerprint(there), f"the {atoms.role}'s encoding depends on its position"
        )


def input_is_left_alone(subject: FeaturizerUnderTest) -> None:
    """The input atoms are not changed (their arrays may be read-only memory maps)."""
    names = (
        "xyz",
        "element",
        "atom_type",
        "flags",
        "charge",
        "name",
        "residue_name",
        "residue_number",
        "chain",
        "insertion",
    )
    for atoms in (subject.receptor, subject.ligand):
        before = fingerprint(getattr(atoms, name) for name in names)
        subject.instance.encode(atoms)
        require(
            before == fingerprint(getattr(atoms, name) for name in names), f"the {atoms.role} was changed"
        )


def image_has_its_shape(subject: FeaturizerUnderTest) -> None:
    """The image is (D, D, D, C) float32, finite and not empty."""
    import numpy as np

    side = subject.box.side
    require(
        subject.plain.shape == (side, side, side, len(subject.instance.channels)),
        f"it is {subject.plain.shape}",
    )
    require(subject.plain.dtype == np.float32, f"its dtype is {subject.plain.dtype}")
    require(np.isfinite(subject.plain).all(), "it has values that are not finite")
    require(np.any(subject.plain != 0), "it is empty although atoms lie in the box")


def image_of_nothing_is_finite(subject: FeaturizerUnderTest) -> None:
    """A pair without receptor atoms, or with atoms far outside the box only, gives a finite image."""
    import numpy as np

    nobody = sample_atoms("receptor", 0)
    require(np.isfinite(subject.image(nobody, subject.ligand)).all(), "no receptor: values are not finite")
    away = moved(subject.receptor, np.eye(3), np.array([500.0, 0.0, 0.0]))
    same(
        subject.image(nobody, subject.ligand),
        subject.image(away, subject.ligand),
        1e-5,
        "atoms 500 Å away are imaged",
    )


def padding_changes_nothing(subject: FeaturizerUnderTest) -> None:
    """Padding and other pairs of the batch do not change an image."""
    _only_device(subject)
    padded = subject.image(subject.receptor, subject.ligand, padding=37)
    same(subject.plain, padded, 1e-5, "padded")
    small = (sample_atoms("receptor", 3), sample_atoms("ligand", 2))
    together = to_numpy(subject.layer(subject.batch([small, (subject.receptor, subject.ligand)])))
    same(subject.plain, together[1], 1e-5, "in a batch")
    same(subject.image(*small), together[0], 1e-5, "the other pair of the batch")


def rotation_is_that_of_the_atoms(subject: FeaturizerUnderTest) -> None:
    """An image made with a rotation equals the image of the rotated atoms."""
    import numpy as np

    turn = rotation_matrix()
    rotated = subject.image(subject.receptor, subject.ligand, turn)
    beforehand = subject.image(
        moved(subject.receptor, turn, np.zeros(3)), moved(subject.ligand, turn, np.zeros(3))
    )
    same(rotated, beforehand, 1e-3, "rotated", outliers=1e-3)
    require(not np.allclose(rotated, subject.plain, atol=1e-3), "the rotation has no effect")


def shift_moves_the_image(subject: FeaturizerUnderTest) -> None:
    """A shift by one voxel moves the image by one voxel."""
    step = subject.box.spacing
    shifted = subject.image(subject.receptor, subject.ligand, shift=(step, 0.0, 0.0))
    same(subject.plain[:-1], shifted[1:], 1e-3, "shifted along x", outliers=1e-3)


def layer_survives_saving(subject: FeaturizerUnderTest) -> None:
    """Its layer can be restored from its configuration and makes the same image."""
    _only_device(subject)
    import keras

    config = keras.saving.serialize_keras_object(subject.layer)
    again = keras.saving.deserialize_keras_object(config, custom_objects=subject.instance.custom_objects())
    batch = subject.batch([(subject.receptor, subject.ligand)])
    same(subject.plain, to_numpy(again(batch))[0], 1e-6, "restored")


def layer_is_registered(subject: FeaturizerUnderTest) -> None:
    """A custom layer is registered with Keras under its distribution's name and listed by custom_objects."""
    own = subject.instance.voxelizer(subject.box)
    if own is None:
        raise Skip("it has no layer of its own")
    check_registered(type(own), subject.instance.custom_objects())


def layer_runs_compiled(subject: FeaturizerUnderTest) -> None:
    """Its layer makes the same image in a compiled model."""
    _only_device(subject)
    batch = subject.batch([(subject.receptor, subject.ligand)] * 2)
    same(subject.plain, _compiled(subject, subject.layer, batch)[1], 1e-5, "compiled", outliers=1e-4)


def layer_keeps_its_precision(subject: FeaturizerUnderTest) -> None:
    """Under mixed precision positions stay float32; only the image is rounded."""
    _only_device(subject)
    import keras

    from affinity_zoo.featurizers import layers

    before = keras.config.dtype_policy()
    try:
        keras.config.set_dtype_policy("mixed_bfloat16")
        layer = layers.for_featurizer(subject.instance, subject.box)
        mixed = _compiled(subject, layer, subject.batch([(subject.receptor, subject.ligand)]))[0]
    finally:
        keras.config.set_dtype_policy(before)
    same(subject.plain, mixed, 1e-2, "mixed precision", outliers=1e-3)


CHECKS: tuple[Callable[[Any], None], ...] = (
    *SHARED,
    channels_are_named,
    encoding_has_its_shapes,
    encoding_is_repeatable,
    encoding_ignores_position,
    input_is_left_alone,
    image_has_its_shape,
    image_of_nothing_is_finite,
    padding_changes_nothing,
    rotation_is_that_of_the_atoms,
    shift_moves_the_image,
    layer_survives_saving,
    layer_is_registered,
    layer_runs_compiled,
    layer_keeps_its_precision,
)


def check_registered(layer: type, custom_objects: dict[str, type]) -> None:
    """Require a Keras class to be registered under a package name and to be named in custom_objects.

    Args:
        layer: Keras class.
        custom_objects: Keras classes by registered name.
    """
    import keras

    name = keras.saving.get_registered_name(layer)
    if layer.__module__.startswith(("keras.", "affinity_zoo.")):
        return
    require(
        ">" in name and not name.startswith("Custom>"),
        f"decorate {layer.__name__} with @keras.saving.register_keras_serializable(package='its distribution')",
    )
    require(custom_objects.get(name) is layer, f"custom_objects() lacks {name!r}")


def _compiled(
    subject: FeaturizerUnderTest, layer: Any, batch: dict[str, NDArray[Any]]
) -> NDArray[np.float32]:
    import keras

    inputs = {
        key: keras.Input(
            (None, *array.shape[2:]) if key in _PER_ATOM else array.shape[1:],
            dtype=str(array.dtype),
            name=key,
        )
        for key, array in batch.items()
    }
    model = keras.Model(inputs, layer(inputs))
    import numpy as np

    return np.asarray(model.predict_on_batch(batch)).astype(np.float32)


_PER_ATOM = ("xyz", "radius", "channel", "value", "values")


def _only_device(subject: FeaturizerUnderTest) -> None:
    if subject.host:
        raise Skip("it makes its image on the host")


def _arrays(encoding: Encoding) -> list[NDArray[Any]]:
    found = (encoding.radius, encoding.channel, encoding.value, encoding.values)
    return [array for array in found if array is not None]


def _check_encoding(encoding: Encoding, n: int, featurizer: Featurizer, where: str) -> None:
    import numpy as np

    c = len(featurizer.channels)
    _array(encoding.radius, (n,), np.float32, f"radius ({where})")
    limit = float(getattr(featurizer, "max_radius", 3.0))
    require(bool(np.all(encoding.radius >= 0)), f"a radius is negative ({where})")
    if featurizer.voxelization != "nearest" and n:
        largest = float(encoding.radius.max())
        require(
            largest <= limit * (1 + 1e-6),
            f"a radius is {largest:.3g} Å, above the class's max_radius of {limit:g} ({where})",
        )
    one = (encoding.channel is None) != (encoding.values is None)
    require(one, f"give either channel (and value) or values ({where})")
    if encoding.channel is not None:
        _array(encoding.channel, (n,), np.int32, f"channel ({where})")
        inside = (encoding.channel >= -1) & (encoding.channel < c)
        require(bool(inside.all()), f"a channel is outside -1..{c - 1} ({where})")
    if encoding.value is not None:
        _array(encoding.value, (n,), np.float32, f"value ({where})")
    if encoding.values is not None:
        _array(encoding.values, (n, c), np.float32, f"values ({where})")
    require(0 <= int(encoding.unknown) <= n, f"unknown is {encoding.unknown} of {n} atoms ({where})")


def _array(array: Any, shape: tuple[int, ...], dtype: Any, what: str) -> None:
    import numpy as np

    require(isinstance(array, np.ndarray), f"{what} is {type(array).__name__}, not an array")
    require(array.shape == shape, f"{what} has the shape {array.shape}, not {shape}")
    require(array.dtype == dtype, f"{what} has the dtype {array.dtype}, not {np.dtype(dtype)}")
    require(bool(np.isfinite(array).all()), f"{what} has values that are not finite")
