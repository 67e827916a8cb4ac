"""The user's folder, for example for downloaded models; independent of the working folder."""

from __future__ import annotations

import os
from pathlib import Path

HOME = "AFFINITY_ZOO_HOME"  #: environment variable that names the folder
BESIDE = Path("models")  #: searched first: models in the current folder


def user_folder() -> Path:
    """Return the user's folder: ``AFFINITY_ZOO_HOME``, else the platform's cache folder."""
    import platformdirs

    given = os.environ.get(HOME)
    return Path(given) if given else platformdirs.user_cache_path("affinity-zoo", appauthor=False)


def models_home() -> Path:
    """Return the user's folder of models, below :func:`user_folder`."""
    return user_folder() / "models"
