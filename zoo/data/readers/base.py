"""Input and output of the readers: options, raw atoms of a file, poses, failures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.plugins.contracts import Atoms
from affinity_zoo.plugins.errors import AffinityZooError, UsageError


@dataclass(frozen=True)
class ReadOptions:
    """Options of the readers where a file is ambiguous. They are part of the index, the recipe and the model.

    Hydrogens are never kept. Typing does not use them, so that a structure is the same with and
    without hydrogens in its file.

    Args:
        waters: keep or drop water molecules of a receptor.
        hetero: keep or drop the other non-polymer groups of a receptor (cofactors, sugars, buffer).
        metals: keep or drop metal ions of a receptor.
        altloc: which alternate location of a residue is taken: the one with the highest summed
            occupancy, or the first in the file; ``all`` keeps every one, as libmolgrid does.
        model: which model of a multi-model receptor file is taken, counted from 1.
        ligand_bonds: ``file`` uses the bonds of the file where it has them and RDKit accepts them;
            ``perceive`` ignores them and perceives bonds from distances for every ligand, so that
            all formats are treated alike.
        typing: where atom types come from: ``bonds`` uses this package's rules; ``openbabel`` asks Open Babel as
            libmolgrid does, so that types are gnina's own (the extra ``openbabel``; without it, the rules).
    """

    waters: Literal["keep", "drop"] = "drop"
    hetero: Literal["keep", "drop"] = "keep"
    metals: Literal["keep", "drop"] = "keep"
    altloc: Literal["occupancy", "first", "all"] = "occupancy"
    model: int = 1
    ligand_bonds: Literal["file", "perceive"] = "file"
    typing: Literal["bonds", "openbabel"] = "bonds"

    def __post_init__(self) -> None:
        allowed = {
            "waters": ("keep", "drop"),
            "hetero": ("keep", "drop"),
            "metals": ("keep", "drop"),
            "altloc": ("occupancy", "first", "all"),
            "ligand_bonds": ("file", "perceive"),
            "typing": ("bonds", "openbabel"),
        }
        for name, values in allowed.items():
            if getattr(self, name) not in values:
                raise UsageError(
                    f"the read option {name} is one of {', '.join(values)}, not {getattr(self, name)!r}"
                )
        if not isinstance(self.model, int) or self.model < 1:
            raise UsageError(f"the read option model counts from 1, not {self.model!r}")

    def as_dict(self) -> dict[str, Any]:
        """The options as plain values, ready for JSON or TOML."""
        values = asdict(self)
        if self.typing == "bonds":  # unknown to earlier versions; it does not change their indexes
            del values["typing"]
        return values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ReadOptions:
        """Make options from the result of :meth:`as_dict`; an unknown name is a :class:`UsageError`.

        Args:
            values: Values by name.
        """
        known = {f.name for f in fields(cls)}
        if unknown := sorted(set(values) - known):
            raise UsageError(
                f"unknown read option {', '.join(unknown)}: the options are {', '.join(sorted(known))}"
            )
        return cls(**dict(values))

    def changed(self, values: Mapping[str, Any]) -> ReadOptions:
        """Return changed options; an unknown name is a :class:`UsageError`.

        Args:
            values: Values by name.
        """
        return ReadOptions.from_dict({**self.as_dict(), **values})


def parse_read_options(texts: Sequence[str]) -> dict[str, Any]:
    """Parse options in the form ``name=value``.

    Args:
        texts: each ``name=value``.

    Returns:
        The values by name, checked.

    Raises:
        UsageError: one is not of that form, unknown, or has another value than those allowed.
    """
    values: dict[str, Any] = {}
    for text in texts:
        name, mark, value = text.partition("=")
        if not mark:
            raise UsageError(f"a read option is name=value, not {text!r}")
        values[name] = int(value) if name == "model" and value.isdigit() else value
    ReadOptions.from_dict(values)
    return values


class ReadError(AffinityZooError):
    """A file or a record that cannot be read; ``stage`` says where it stopped."""

    def __init__(self, reason: str, stage: str = "parse") -> None:
        super().__init__(reason)
        self.reason = reason
        self.stage = stage


@dataclass(frozen=True)
class Failure:
    """An input that failed: one row of ``failures.csv``."""

    file: str
    record: int  #: number of the record in the file, from 0; -1: the whole file
    stage: str  #: find, read, parse, type or timeout
    reason: str


@dataclass(frozen=True, eq=False)
class RawAtoms:
    """All atoms of one model of one file, hydrogens included, before selection. N atoms.

    Text columns are as wide as the longest name in them, at least as wide as said here.
    """

    xyz: NDArray[np.float32]  #: (N, 3) Å
    element: NDArray[np.uint8]  #: (N,) atomic number, 0 = unknown
    name: NDArray[np.bytes_]  #: (N,) S4
    residue_name: NDArray[np.bytes_]  #: (N,) S4
    residue_number: NDArray[np.int32]
    insertion: NDArray[np.bytes_]  #: (N,) S1
    chain: NDArray[np.bytes_]  #: (N,) S4
    altloc: NDArray[np.bytes_]  #: (N,) S1
    occupancy: NDArray[np.float32]
    charge: NDArray[np.int8]
    hetero: NDArray[np.bool_]  #: (N,) from a HETATM line
    #: (N,) the element differs from the file's: taken from the name, or corrected by it
    guessed: NDArray[np.bool_]
    pseudo: NDArray[np.bool_]  #: (N,) no atom: lone pair, dummy, glue atom, membrane point

    def __len__(self) -> int:
        return len(self.xyz)

    @classmethod
    def of(
        cls, xyz: NDArray[np.float32], element: NDArray[np.uint8], name: NDArray[np.bytes_], **given: Any
    ) -> RawAtoms:
        """Raw atoms of which some columns are given; the others get neutral values.

        Args:
            xyz: (N, 3) Å.
            element: (N,) atomic numbers.
            name: (N,) atom names.
            given: other fields by name.
        """
        n = len(xyz)
        nothing: dict[str, Any] = {
            "residue_name": np.full(n, b"LIG", "S4"), "residue_number": np.ones(n, np.int32),
            "insertion": np.zeros(n, "S1"), "chain": np.zeros(n, "S4"), "altloc": np.zeros(n, "S1"),
            "occupancy": np.ones(n, np.float32), "charge": np.zeros(n, np.int8), "hetero": np.zeros(n, bool),
            "guessed": np.zeros(n, bool), "pseudo": np.zeros(n, bool),
        }  # fmt: skip
        return cls(xyz=xyz, element=element, name=name, **(nothing | given))

    def take(self, which: NDArray[Any]) -> RawAtoms:
        """Select atoms by a mask or by numbers.

        Args:
            which: Mask or atom numbers.
        """
        return replace(self, **{f.name: getattr(self, f.name)[which] for f in fields(self)})


@dataclass(frozen=True, eq=False)
class Receptor:
    """One receptor as read."""

    atoms: Atoms
    notes: list[str] = field(default_factory=list)  #: notes on dropped groups
    findings: list[str] = field(default_factory=list)  #: findings to inspect: guesses and oddities


@dataclass(frozen=True, eq=False)
class PoseRecord:
    """One record of a pose file: a ligand, or the reason of its failure."""

    record: int  #: from 0
    name: str
    atoms: Atoms | None = None
    failure: Failure | None = None
    docking_score: float = float("nan")  #: as in the file
    properties: dict[str, str] = field(default_factory=dict)
    hydrogens: int = -1  #: hydrogen atoms in the file, none of which is kept; -1: not known
    notes: list[str] = field(default_factory=list)
    skeleton: str = (
        ""  #: a hash of elements and bonds without orders: equal for equal molecules; "" where unknown
    )
