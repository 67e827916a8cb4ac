"""Whether a ligand fits the box."""

from __future__ import annotations

from affinity_zoo.featurizers import views
from affinity_zoo.plugins.contracts import Box
from affinity_zoo.zoo.data.store.dataset import Dataset


def fits_box(dataset: Dataset, structure: int, box: Box) -> bool:
    """Whether a ligand of the store fits the box in every rotation, by its radius.

    Args:
        dataset: The index.
        structure: Number of a structure in the store, from 0.
        box: Voxels along a side, and their spacing in Å.
    """
    xyz = dataset.store.atoms(structure).xyz
    return views.fits(xyz - xyz.mean(axis=0), box)
