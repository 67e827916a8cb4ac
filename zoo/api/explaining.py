"""Explanations in Python: :func:`affinity_zoo.explain`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from affinity_zoo.plugins.errors import UsageError
from affinity_zoo.zoo.api.models import load_model
from affinity_zoo.zoo.models.folders import Name
from affinity_zoo.zoo.models.loading import Model
from affinity_zoo.zoo.see.explain import Explanation
from affinity_zoo.zoo.see.explain import explain as explained


def explain(
    model: Model | Name,
    receptor: str | Path,
    pose: str | Path,
    *,
    out: str | Path | None = None,
    runs: str | Path = "summaries",
    **options: Any,
) -> Explanation:
    """Attribute a model's score of one pose to the atoms of ligand and receptor.

    Args:
        model: from :func:`affinity_zoo.load_model`, or what it takes.
        receptor: a structure file.
        pose: a file with poses.
        out: folder for the page, the PDB and SDF file and the tables of ``affinity-zoo explain``; None: no files.
        runs: folder of the runs, for a number.
        options: of :func:`affinity_zoo.zoo.see.explain.explain`: ``record`` of the pose file (from 0), ``method``
            (gradient, occlusion, both), ``output`` of the model, ``views``, ``seed``, ``steps``, ``batch_size``.

    Returns:
        The values of each atom and residue; a notebook shows them as a 3D page.

    Raises:
        UsageError: the model is an ensemble, or an option is unknown.
        AffinityZooError: a file cannot be read, or the method does not apply to the featurizer.
    """
    loaded = model if isinstance(model, Model) else load_model(model, runs)
    if not isinstance(loaded, Model):
        raise UsageError(
            f"`model` is an ensemble: explain one of its members, such as {loaded.models[0].folder.name}"
        )
    found = explained(loaded, receptor, pose, **options)
    if out is not None:
        from affinity_zoo.zoo.see.explain_report import write_all

        write_all(found, Path(out), page=True)
    return found
