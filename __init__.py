"""affinity-zoo: a Keras 3 model zoo of 3D convolutional networks for protein-ligand complexes."""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.2.0"

#: public name -> module:name, loaded on first use so that `import affinity_zoo` is fast
_PUBLIC: dict[str, str] = {
    "index": "affinity_zoo.zoo.data.index.run:build_index",
    "train": "affinity_zoo.zoo.training.train:train",
    "evaluate": "affinity_zoo.zoo.evaluation.run:evaluate",
    "evaluate_scores": "affinity_zoo.zoo.evaluation.external:evaluate_scores",
    "evaluate_consensus": "affinity_zoo.zoo.evaluation.consensus:evaluate_consensus",
    "predict": "affinity_zoo.zoo.prediction.run:predict",
    "leaderboard": "affinity_zoo.zoo.api.board:leaderboard",
    "explain": "affinity_zoo.zoo.api.explaining:explain",
    "load_model": "affinity_zoo.zoo.api.models:load_model",
    "load_models": "affinity_zoo.zoo.api.models:load_models",
    "Dataset": "affinity_zoo.zoo.data.store.dataset:Dataset",
}

__all__ = ["__version__", *_PUBLIC]


#: names whose modules import Keras
_KERAS = {"train", "evaluate", "predict", "explain"}


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        if name in _KERAS:
            # its backend writes notes that only its quiet start holds back
            import_module("affinity_zoo.zoo.runtime.keras").start_keras()
        module, _, attribute = _PUBLIC[name].partition(":")
        return getattr(import_module(module), attribute)
    raise AttributeError(f"module 'affinity_zoo' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_PUBLIC])
