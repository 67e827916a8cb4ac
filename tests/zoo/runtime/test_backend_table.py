"""Each backend of Keras is one module with one name in one table."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pytest

from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.runtime import backends

ROOT = Path(__file__).resolve().parents[3]


def test_the_table_names_every_module() -> None:
    modules = {path.stem for path in Path(backends.__file__).parent.glob("*.py")} - {"__init__", "base"}
    assert modules == set(backends.NAMES)
    for name in backends.NAMES:
        # modules import their package only when they are asked: none of them need be installed here
        assert backends.backend_named(name).name == name


def test_no_other_module_imports_a_backend_but_tensorflow() -> None:
    others = set(backends.NAMES) - {"tensorflow"}
    # runs in the environment of the peer, which is a program on PyTorch
    allowed = {"zoo/speed/peer_scoring.py"}
    for path in [*ROOT.glob("plugins/**/*.py"), *ROOT.glob("featurizers/**/*.py"), *ROOT.glob("zoo/**/*.py")]:
        if path.is_relative_to(ROOT / "zoo/runtime/backends") or str(path.relative_to(ROOT)) in allowed:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module]
            assert not others & {name.split(".")[0] for name in names}, path


def test_a_backend_without_a_module_computes_but_has_no_gradients() -> None:
    backend = backends.backend_named("numpy")
    device = backend.device()
    assert (device.description, device.replicas, device.accelerator) == ("numpy", 1, False)
    with pytest.raises(AffinityZooError, match="KERAS_BACKEND"):
        backend.value_and_gradient(lambda x: x, np.zeros(3, np.float32))
