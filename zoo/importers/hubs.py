"""The table of model hubs, by the prefix of their handles."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Final, Protocol, cast

from affinity_zoo.plugins.errors import UsageError


class Hub(Protocol):
    """A module that downloads models from a hub and uploads them."""

    def get_from_hub(self, handle: str, out: str | Path | None = None) -> Path:
        """Download a model or ensemble and check it as untrusted.

        Args:
            handle: Name of the model on the hub, with the hub's prefix.
            out: Folder to write to; None: the user's folder of models.

        Returns:
            The model directory.
        """
        ...

    def push_to_hub(self, folder: Path, handle: str, *, private: bool = False) -> str:
        """Upload a model or ensemble directory.

        Args:
            folder: The model or ensemble directory.
            handle: Name of the model on the hub, with the hub's prefix.
            private: Create a private repository.

        Returns:
            Address of the upload.
        """
        ...


#: prefix of a hub's handles -> its module in this folder; a new hub is one module and one line here
HUBS: Final = {"hf://": "huggingface"}


def is_handle(name: str) -> bool:
    """Return whether a name is a handle of a hub.

    Args:
        name: Name of a model as the user gave it.
    """
    return name.startswith(tuple(HUBS))


def hub_of(handle: str) -> Hub:
    """Return the hub of a handle.

    Args:
        handle: Name of a model with the prefix of its hub.

    Raises:
        UsageError: The prefix is not that of a known hub.
    """
    for prefix, module in HUBS.items():
        if handle.startswith(prefix):
            return cast("Hub", import_module(f"affinity_zoo.zoo.importers.{module}"))
    known = ", ".join(f"{prefix}USER/REPO" for prefix in HUBS)
    raise UsageError(f"{handle!r} is not a handle of a known hub: write {known}")
