"""The device layers make the kernels' images, under each backend of Keras that is installed."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from affinity_zoo.zoo.runtime.backends import NAMES


@pytest.mark.parametrize("backend", NAMES)
def test_layers_equal_kernels(backend: str) -> None:
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    script = Path(__file__).with_name("compare_layers.py")
    environment = {
        **os.environ,
        "KERAS_BACKEND": backend,
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "JAX_PLATFORMS": "cpu",
    }
    done = subprocess.run(
        [sys.executable, str(script), "0"], capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout.splitlines()[-1])
    assert report["backend"] == backend
    assert len(report["cases"]) == 8 * 3 * 5
    assert sum(case["filled"] for case in report["cases"]) > 100
    for case in report["cases"]:
        assert case["shape"], case
        assert case["wrong"] == 0, case
        assert case["kinds"], case
        assert case["grouped"] < 1e-5, case
    assert report["mixed"] == {"dtype": "bfloat16", "equal": True}
    # the outer model must not cast what the voxelizer gets
    assert set(report["mixed_model"]["seen"].values()) == {"float32"}
    assert report["mixed_model"]["wrong"] == 0 and report["mixed_model"]["network"] == "float16"
    assert report["saved"]["loaded"] and report["saved"]["largest"] < 1e-5
    assert report["saved"]["output_shape"] == [None, 8, 8, 8, 28]
