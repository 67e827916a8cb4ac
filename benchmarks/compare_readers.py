"""Compare what the readers see with gemmi and RDKit, on every structure file that installed packages carry.

    python benchmarks/compare_readers.py [FOLDER...]

Of PDB and mmCIF files the heavy atoms, elements and residues of the first model are compared with gemmi; of SDF and
MOL2 files the heavy atoms and elements of each record with RDKit. One line for each file that differs; the causes are
listed in docs/formats.md.
"""

from __future__ import annotations

import sys
from collections import Counter
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import gemmi
from rdkit import Chem, RDLogger

from affinity_zoo.zoo.data.readers import ReadError, read_poses
from affinity_zoo.zoo.data.readers.elements import SYMBOLS
from affinity_zoo.zoo.data.readers.formats import format_of, is_structure, read_bytes, suffix_of
from affinity_zoo.zoo.runtime.terminal import say

PACKAGES = ("prody", "rdkit", "gemmi", "meeko", "openbabel", "Bio")


def main(folders: list[str]) -> None:
    """Compare all files and print the differences."""
    RDLogger.DisableLog("rdApp.*")
    counts: Counter[str] = Counter()
    for folder in map(Path, folders or _installed()):
        for path in sorted(p for p in folder.rglob("*") if p.is_file() and is_structure(p)):
            if suffix_of(path) in (".npy", ".gninatypes"):
                continue
            said = _compare(path)
            counts[f"{format_of(path).name}: {'equal' if not said else 'different'}"] += 1
            if said:
                say(f"{path.relative_to(folder.parent)}: {said}")
    say(str(dict(sorted(counts.items()))))


def _installed() -> list[str]:
    found = []
    for name in PACKAGES:
        spec = find_spec(name)
        if spec is not None and spec.origin:
            found.append(str(Path(spec.origin).parent))
    return found


def _compare(path: Path) -> str:
    models = format_of(path).models
    return _with_gemmi(path, models) if models is not None else _with_rdkit(path)


def _with_gemmi(path: Path, models: Any) -> str:
    try:
        raw = models(read_bytes(path))[0]
    except ReadError as error:
        ours: Any = error.reason
    else:
        keep = (raw.element != 1) & ~raw.pseudo
        keys = zip(raw.chain, raw.residue_number, raw.insertion, raw.residue_name, strict=True)
        ours = (
            Counter(SYMBOLS[z] for z in raw.element[keep].tolist()),
            len(
                {
                    key
                    for key, here in zip(
                        ((bytes(a), int(b), bytes(c), bytes(d)) for a, b, c, d in keys), keep, strict=True
                    )
                    if here
                }
            ),
        )
    try:
        model = gemmi.read_structure(str(path))[0]
    except (RuntimeError, ValueError, IndexError) as error:
        theirs: Any = f"{error}"
    else:
        atoms = [(c, r, a) for c in model for r in c for a in r if not a.element.is_hydrogen]
        if not atoms and isinstance(ours, str):
            return ""  # no structure: both say so
        theirs = (
            Counter(a.element.name for _, _, a in atoms),
            len({(c.name, r.seqid.num, r.seqid.icode, r.name) for c, r, _ in atoms}),
        )
    if isinstance(ours, str) or isinstance(theirs, str):
        return (
            ""
            if isinstance(ours, str) and isinstance(theirs, str)
            else f"ours {_short(ours)}; gemmi {_short(theirs)}"
        )
    said = []
    if ours[0] != theirs[0]:
        said.append(f"elements ours {dict(ours[0] - theirs[0])}, gemmi {dict(theirs[0] - ours[0])}")
    if ours[1] != theirs[1]:
        said.append(f"residues ours {ours[1]}, gemmi {theirs[1]}")
    return "; ".join(said)


def _short(what: Any) -> str:
    return what[:90] if isinstance(what, str) else f"{sum(what[0].values())} atoms"


def _with_rdkit(path: Path) -> str:
    ours = [
        Counter(SYMBOLS[z] for z in pose.atoms.element.tolist())
        if pose.atoms is not None
        else pose.failure.reason  # type: ignore[union-attr]
        for pose in read_poses(path)
    ]
    if suffix_of(path) == ".mol2":
        blocks = path.read_text(errors="replace").split("@<TRIPOS>MOLECULE")[1:]
        molecules = [
            Chem.MolFromMol2Block("@<TRIPOS>MOLECULE" + b, sanitize=False, removeHs=False) for b in blocks
        ]
    elif suffix_of(path) in (".sdf", ".sd", ".mol"):
        molecules = list(Chem.SDMolSupplier(str(path), sanitize=False, removeHs=False, strictParsing=False))
    else:
        return ""
    theirs = [
        Counter(a.GetSymbol() for a in m.GetAtoms() if a.GetAtomicNum() > 1) if m is not None else "not read"
        for m in molecules
    ]
    if len(ours) != len(theirs):
        return f"records ours {len(ours)}, RDKit {len(theirs)}"
    wrong = [(i, a, b) for i, (a, b) in enumerate(zip(ours, theirs, strict=True)) if a != b]
    return f"{len(wrong)} of {len(ours)} records, the first {wrong[0]}" if wrong else ""


if __name__ == "__main__":
    main(sys.argv[1:])
