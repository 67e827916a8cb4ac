"""Which device is used; GPUs that work already are taken as they are."""

from __future__ import annotations

import pytest

from affinity_zoo.zoo.runtime.device import Device, find_device


@pytest.mark.parametrize(("batch", "replicas", "rounded"), [(5, 2, 6), (6, 2, 6), (1, 4, 4), (7, 1, 7)])
def test_batches_are_rounded_up_to_the_replicas(batch: int, replicas: int, rounded: int) -> None:
    assert Device("GPUs", replicas, True).round_batch(batch) == rounded


def test_a_gpu_that_is_in_use_already_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """``evaluate`` loads the model first: TensorFlow then refuses to set the GPU up, which must not stop it."""
    tf = pytest.importorskip("tensorflow")
    asked = []

    def too_late(gpu: str, enable: bool) -> None:
        asked.append((gpu, enable))
        raise RuntimeError("Physical devices cannot be modified after being initialized")

    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind=None: ["one GPU"])
    monkeypatch.setattr(tf.config.experimental, "set_memory_growth", too_late)
    monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda gpu: {"device_name": "NVIDIA X"})
    device = find_device()
    assert asked == [("one GPU", True)]
    assert device.accelerator and device.replicas == 1 and device.description.startswith("NVIDIA X")
