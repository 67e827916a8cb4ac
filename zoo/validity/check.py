"""The validity of one pose: by PoseBusters where it is installed, else by RDKit alone."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any, Final

from affinity_zoo.plugins.contracts import Atoms
from affinity_zoo.plugins.errors import UsageError
from affinity_zoo.zoo.validity import posebusters_checks, rdkit_checks
from affinity_zoo.zoo.validity.columns import Validity
from affinity_zoo.zoo.validity.molecule import SDF, UncheckableError, checkable, molecule_of, record_of
from affinity_zoo.zoo.validity.receptor import receptor_molecule

METHODS: Final = ("posebusters", "rdkit")


def method_of(wanted: bool | str) -> str:
    """The method of checking.

    Args:
        wanted: True: PoseBusters where it is installed, else RDKit; or the name of a method; False: none.

    Raises:
        UsageError: an unknown method, or PoseBusters is asked for and not installed.
    """
    if not wanted:
        return ""
    installed = find_spec("posebusters") is not None
    if wanted is True:
        return "posebusters" if installed else "rdkit"
    if wanted not in METHODS:
        raise UsageError(f"`validity` is one of {', '.join(METHODS)}, not {wanted!r}")
    if wanted == "posebusters" and not installed:
        raise UsageError(
            "`validity='posebusters'` needs PoseBusters: pip install 'affinity-zoo[posebusters]'"
        )
    return str(wanted)


def note_of(method: str) -> str:
    """A sentence on the method, for the output of a command; empty without validity.

    Args:
        method: of :func:`method_of`.
    """
    if method == "rdkit":
        return (
            "validity by RDKit alone (strain, distance and overlap with the receptor): bond lengths, angles and rings "
            "are checked with pip install 'affinity-zoo[posebusters]'"
        )
    return f"validity by PoseBusters {posebusters_checks.version()}" if method else ""


def check_file(path: str, record: int, receptor: Atoms, method: str, text: bytes = b"") -> Validity:
    """Check a record of a pose file.

    Args:
        path: the file.
        record: from 0.
        receptor: heavy atoms.
        method: of :func:`method_of`.
        text: of the record, if it is an SDF record that was read already.
    """
    try:
        molecule = molecule_of(*((SDF, text) if text else record_of(path, record)))
    except UncheckableError as error:
        return Validity(_named(method), reason=f"not checked: {error}")
    return check_molecule(molecule, receptor, method)


def check_molecule(molecule: Any, receptor: Atoms, method: str) -> Validity:
    """Check a pose.

    Args:
        molecule: an RDKit molecule with bond orders and one conformer.
        receptor: heavy atoms.
        method: of :func:`method_of`.
    """
    named = _named(method)
    try:
        fine = checkable(molecule)
        around = receptor_molecule(receptor, fine.GetConformer().GetPositions())
        checks = posebusters_checks.checks if method == "posebusters" else rdkit_checks.checks
        found = checks(fine, around)
    except UncheckableError as error:
        return Validity(named, reason=f"not checked: {error}")
    except Exception as error:  # a library that fails on one pose must not cost the others
        return Validity(named, reason=f"not checked: {type(error).__name__}: {error}")
    failed = [name for name, passed in found.items() if passed is False]
    unknown = [name for name, passed in found.items() if passed is None]
    parts = [
        f"failed: {', '.join(failed)}" if failed else "",
        f"not checked: {', '.join(unknown)}" if unknown else "",
    ]
    return Validity(named, found, "; ".join(part for part in parts if part))


def _named(method: str) -> str:
    return f"posebusters {posebusters_checks.version()}" if method == "posebusters" else method
