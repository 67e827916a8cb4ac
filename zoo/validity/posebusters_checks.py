"""The checks of PoseBusters (its configuration for docked poses), as columns.

Buttenschoen, Morris, Deane, Chem. Sci. 2024, 15, 3130, doi:10.1039/D3SC04185A. Waters are ignored: the readers
drop them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from functools import cache
from typing import Any, Final

from affinity_zoo.zoo.validity.columns import CHECKS

#: our column -> PoseBusters' columns, all of which must pass
NAMES: Final[dict[str, tuple[str, ...]]] = {
    "valid_chemistry": ("sanitization", "inchi_convertible", "all_atoms_connected", "no_radicals"),
    "valid_bond_lengths": ("bond_lengths",),
    "valid_bond_angles": ("bond_angles",),
    "valid_internal_clash": ("internal_steric_clash",),
    "valid_aromatic_rings": ("aromatic_ring_flatness",),
    "valid_ring_puckers": ("non-aromatic_ring_non-flatness",),
    "valid_double_bonds": ("double_bond_flatness",),
    "valid_strain": ("internal_energy",),
    "valid_protein_near": ("protein-ligand_maximum_distance",),
    "valid_protein_distance": ("minimum_distance_to_protein",),
    "valid_protein_overlap": ("volume_overlap_with_protein",),
    "valid_cofactor_distance": (
        "minimum_distance_to_organic_cofactors",
        "minimum_distance_to_inorganic_cofactors",
    ),
    "valid_cofactor_overlap": (
        "volume_overlap_with_organic_cofactors",
        "volume_overlap_with_inorganic_cofactors",
    ),
}


def version() -> str:
    """The installed version of PoseBusters."""
    from importlib.metadata import version

    return version("posebusters")


@cache
def _busters() -> Any:
    from posebusters import PoseBusters

    config = deepcopy(PoseBusters("dock").config)
    config["modules"] = [
        module
        for module in config["modules"]
        if not module["name"].endswith("waters") and module["function"] != "loading"
    ]
    for module in config["modules"]:
        if module["function"] == "energy_ratio":  # poses are divided among processes already
            module["parameters"]["num_threads"] = 1
    return PoseBusters(config)


def checks(molecule: Any, receptor: Any) -> dict[str, bool | None]:
    """Run PoseBusters on a pose.

    Args:
        molecule: sanitised, with one conformer.
        receptor: of :func:`~affinity_zoo.zoo.validity.receptor.receptor_molecule`.

    Returns:
        Column -> passed, failed, or None: the check could not be made.
    """
    with _quiet():
        row = _busters().bust([molecule], None, receptor, full_report=False).iloc[0]
    return {name: _all([row.get(theirs) for theirs in NAMES[name]]) for name in CHECKS}


@contextmanager
def _quiet() -> Iterator[None]:
    """No messages of RDKit and PoseBusters, whatever became of the stream that RDKit's handler was made with."""
    import logging
    import sys

    import rdkit

    rdkit.log_handler.stream = (
        sys.stderr
    )  # PoseBusters flushes it: a stream that was closed since fails each check
    loggers = [logging.getLogger(name) for name in ("posebusters", "rdkit")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _all(values: list[Any]) -> bool | None:
    import pandas

    if any(not pandas.isna(value) and not bool(value) for value in values):
        return False
    return None if any(pandas.isna(value) for value in values) else True
