"""The Keras model: voxelizer and network in one."""

from __future__ import annotations

from typing import Any

import keras


@keras.saving.register_keras_serializable(package="affinity_zoo")
class ScoringModel(keras.Model):
    """From encoded atoms, or from an image, to the network's outputs.

    It takes a dict: ``{"image": (B, D, D, D, C)}``, or the encoded atoms that the voxelizer layer takes
    (:mod:`affinity_zoo.featurizers.layers`). So one model serves a laptop, where a compiled kernel makes the
    images, and an accelerator, to which only atoms are sent. Everything up to the image is float32
    under every precision policy.

    Args:
        network: from ``(B, D, D, D, C)`` to ``(B, outputs)``.
        voxelizer: layer from the dict of encoded atoms to ``(B, D, D, D, C)``; None for a featurizer that
            makes the whole image on the host.
    """

    def __init__(
        self, network: keras.Model, voxelizer: keras.layers.Layer | None = None, **kwargs: Any
    ) -> None:
        # Keras would cast coordinates, radii and rotations to half precision before the voxelizer sees them
        super().__init__(autocast=False, **kwargs)
        self.network = network
        self.voxelizer = voxelizer
        # nothing of its own to build: the network was built by its architecture
        self.built = True

    def call(self, inputs: dict[str, Any], training: bool | None = None) -> Any:
        """Return ``(B, outputs)`` float32."""
        if "image" in inputs:
            image = inputs["image"]
        elif self.voxelizer is not None:
            image = self.voxelizer(inputs)
        else:
            raise ValueError("this model has no voxelizer: give it {'image': ...}")
        return self.network(image, training=training)

    def get_config(self) -> dict[str, Any]:
        """Return network and voxelizer, serialised by Keras."""
        serialize = keras.saving.serialize_keras_object
        return {
            **super().get_config(),
            "network": serialize(self.network),
            "voxelizer": None if self.voxelizer is None else serialize(self.voxelizer),
        }

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict[str, type] | None = None
    ) -> ScoringModel:
        """Build the model from ``get_config``."""
        config = dict(config)
        for part in ("network", "voxelizer"):
            if config[part] is not None:
                config[part] = keras.saving.deserialize_keras_object(
                    config[part], custom_objects=custom_objects
                )
        return cls(**config)
