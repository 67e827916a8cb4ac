"""What predict reads: ids, molecules, bound ligands, several files and folders; no network is needed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from affinity_zoo.zoo.data.readers import ReadOptions
from affinity_zoo.zoo.data.readers.records import nth_record
from affinity_zoo.zoo.prediction.chunks import Cutter
from affinity_zoo.zoo.prediction.inputs import PredictionInputs, from_files, from_table
from affinity_zoo.zoo.prediction.ranking import ranked
from affinity_zoo.zoo.prediction.reading import ComplexPose, read_pieces
from affinity_zoo.zoo.prediction.rows import PosePrediction


def _read(inputs: PredictionInputs) -> list[ComplexPose]:
    return [
        pose for pieces in Cutter(None).chunks(inputs.entries) for pose in read_pieces(pieces, ReadOptions())
    ]


def _rows(poses: Sequence[ComplexPose]) -> list[PosePrediction]:
    return [
        PosePrediction(
            id=p.id, target=p.target, molecule=p.molecule, skeleton=p.skeleton, pose_logit=float(-i)
        )
        for i, p in enumerate(poses)
    ]


@pytest.mark.shared
def test_subfolders_are_searched_and_ids_differ(cases: Path) -> None:
    folder = cases / "17-same-file-names"
    poses = _read(from_files(folder / "pocket.pdb", [folder]))
    assert [p.id for p in poses] == [
        "complexA/rank1", "complexB/rank1", "complexB/rank2", "titles#0", "titles#1", "titles#2", "titles#3",
    ]  # fmt: skip
    both = [folder / "complexA" / "rank1.sdf", folder / "complexB" / "rank1.sdf"]
    found = _read(from_files(folder / "pocket.pdb", both))
    assert [p.id for p in found] == ["complexA/rank1", "complexB/rank1"]


@pytest.mark.shared
def test_different_molecules_of_one_title_are_never_merged(cases: Path) -> None:
    folder = cases / "17-same-file-names"
    poses = _read(from_files(folder / "pocket.pdb", [folder / "titles.sdf"]))
    best = [row for _, row in ranked(_rows(poses), "pose", "molecule")]
    assert len(best) == len({(p.molecule, p.skeleton) for p in poses})
    assert len({p.molecule for p in poses}) < len(best)


@pytest.mark.shared
def test_a_ligand_in_the_receptor_is_named_and_left_out(cases: Path) -> None:
    folder = cases / "11-receptor-holds-the-ligand"
    (kept,) = _read(from_files(folder / "complex.pdb", [folder / "lig.sdf"]))
    assert "SAH A328" in kept.bound and "drop_bound_ligand" in kept.bound
    (left_out,) = _read(from_files(folder / "complex.pdb", [folder / "lig.sdf"], drop_bound_ligand=True))
    (pocket,) = _read(from_files(folder / "pocket.pdb", [folder / "lig.sdf"]))
    assert left_out.protein is not None and pocket.protein is not None and not pocket.bound
    for field in ("xyz", "element", "atom_type", "flags"):
        np.testing.assert_array_equal(
            getattr(left_out.protein.atoms, field), getattr(pocket.protein.atoms, field)
        )


@pytest.mark.shared
@pytest.mark.parametrize(
    ("folder", "one", "other"),
    [
        ("02-ions-without-element", "ca_el.pdb", "ca_noel.pdb"),
        ("14-water-names", "w_OPC.pdb", "w_HOH.pdb"),
    ],
)
def test_receptors_that_must_score_the_same_are_the_same(
    cases: Path, folder: str, one: str, other: str
) -> None:
    ligand = cases / "14-water-names" / "lig.sdf"
    (a,), (b,) = (_read(from_files(cases / folder / name, [ligand])) for name in (one, other))
    assert a.protein is not None and b.protein is not None
    for field in ("xyz", "element", "atom_type", "flags", "charge"):
        np.testing.assert_array_equal(getattr(a.protein.atoms, field), getattr(b.protein.atoms, field))


@pytest.mark.shared
def test_affinities_of_the_table_from_the_field(cases: Path, tmp_path: Path) -> None:
    from affinity_zoo.zoo.data.index.run import build_index
    from affinity_zoo.zoo.data.store.dataset import Dataset

    build_index(cases / "06-affinity-text" / "thousands2.csv", tmp_path / "d", workers=0, progress=False)
    data = Dataset.open(tmp_path / "d")
    assert data.column("affinity").tolist() == pytest.approx([5.90309, 5.0, 7.920819], abs=1e-5)
    assert data.column("affinity_relation").tolist() == ["=", "<", "="]


@pytest.mark.shared
def test_residues_with_insertion_codes_stay_apart(cases: Path) -> None:
    from affinity_zoo.zoo.see.complexes import read_complex, residues

    folder = cases / "07-insertion-codes"
    found = residues(read_complex(folder / "icodes.pdb", folder / "lig.sdf").receptor)
    places = [residue.place for residue in found if residue.number == 60]
    assert sorted(places) == ["60", *(f"60{code}" for code in "ABCDEFGHI")]


@pytest.mark.shared
def test_check_reads_entries_without_a_number(cases: Path, tmp_path: Path) -> None:
    from affinity_zoo.zoo.data.checks import check
    from affinity_zoo.zoo.data.layouts.recognise import Hints

    report = check(cases / "13-cif-dot-seqid" / "of3_dot.cif", workers=0)
    assert (report.rows, report.failed) == (1, 0)
    report = check(
        cases / "09-long-residue-names-cif" / "fiveletter.cif", hints=Hints(ligand="A1LU6"), workers=0
    )
    assert (report.rows, report.failed) == (1, 0)


def test_ids_of_a_table_come_back(tmp_path: Path, block: str, receptor: Path) -> None:
    (tmp_path / "a.sdf").write_text(block + "$$$$\n")
    (tmp_path / "many.sdf").write_text((block + "$$$$\n") * 2)
    (tmp_path / "t.csv").write_text(f"id;Receptor;LIGAND\nmine;{receptor};a.sdf\n;{receptor};many.sdf\n")
    poses = _read(from_table(tmp_path / "t.csv"))
    assert [p.id for p in poses] == ["mine", "many#0", "many#1"]


def test_records_of_several_files_are_counted_through(tmp_path: Path, block: str) -> None:
    for name, n in (("a.sdf", 2), ("b.sdf", 3)):
        (tmp_path / name).write_text((block + "$$$$\n") * n)
    files = [tmp_path / "a.sdf", tmp_path / "b.sdf"]
    assert nth_record(files, 1) == (files[0], 1)
    assert nth_record(files, 4) == (files[1], 2)
