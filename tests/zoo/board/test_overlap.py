"""Overlap with training: found by id, position, sequence and skeleton; not known is never none."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import AllChem

from affinity_zoo.plugins.contracts import Atoms, Predictions, Role
from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.board.overlap import Check, check_overlap, overlap_with_training, seen_by, verdict
from affinity_zoo.zoo.board.unseen import SEEN, seen_rows, with_seen, without_overlap
from affinity_zoo.zoo.data.similarity import fingerprint, nearest, similar_sequences
from affinity_zoo.zoo.data.splits.sequences import chains_near, identity
from affinity_zoo.zoo.data.store.dataset import Dataset
from affinity_zoo.zoo.judging.judge import default_scorers, judge
from affinity_zoo.zoo.models.provenance import coordinates_hash
from affinity_zoo.zoo.models.training_ligands import write_training_ligands
from affinity_zoo.zoo.models.training_sequences import FILE, write_training_sequences

THREE = dict(zip("ACDEFGHIKLMNPQRSTVWY", ["ALA", "CYS", "ASP", "GLU", "PHE", "GLY", "HIS", "ILE", "LYS", "LEU", "MET", "ASN", "PRO", "GLN", "ARG", "SER", "THR", "VAL", "TRP", "TYR"], strict=True))  # fmt: skip  # noqa: E501


def make_atoms(role: Role, xyz: Any, element: Any, names: list[str], numbers: Any, chain: str = "A") -> Atoms:
    n = len(xyz)
    return Atoms(
        role=role, xyz=np.asarray(xyz, np.float32), element=np.asarray(element, np.uint8),
        atom_type=np.zeros(n, np.uint8), flags=np.zeros(n, np.uint16), charge=np.zeros(n, np.int8),
        name=np.full(n, b"CA"), residue_name=np.array(names, "S4"), residue_number=np.asarray(numbers, np.int32),
        chain=np.full(n, chain.encode(), "S4"),
    )  # fmt: skip


def ligand(smiles: str, seed: int = 1) -> Atoms:
    molecule = Chem.AddHs(Chem.MolFromSmiles(smiles))
    AllChem.EmbedMolecule(molecule, randomSeed=seed)
    molecule = Chem.RemoveHs(molecule)
    element = [atom.GetAtomicNum() for atom in molecule.GetAtoms()]
    n = len(element)
    return make_atoms("ligand", molecule.GetConformer().GetPositions(), element, ["LIG"] * n, np.ones(n))


def receptor(sequence: str) -> Atoms:
    n = len(sequence)
    xyz = np.c_[np.linspace(-3, 3, n), np.full(n, 3.0), np.zeros(n)]
    return make_atoms("receptor", xyz, np.full(n, 6), [THREE[letter] for letter in sequence], np.arange(n))


def random_sequence(length: int, seed: int) -> str:
    return "".join(np.random.default_rng(seed).choice(list(THREE), length))


def mutated(sequence: str, fraction: float, seed: int) -> str:
    rng = np.random.default_rng(seed)
    letters = np.array(list(sequence))
    where = rng.random(len(letters)) < fraction
    letters[where] = rng.choice(list(THREE), where.sum())
    return "".join(letters)


def index(entries: list[tuple[str, Atoms, Atoms]]) -> Dataset:
    """What the overlap check uses of an index."""
    structures = [part for _, *parts in entries for part in parts]
    columns = {
        "id": np.array([name for name, *_ in entries]),
        "target": np.array([f"t_{name}" for name, *_ in entries]),
        "molecule": np.array([""] * len(entries)),
    }
    numbers = np.arange(len(entries))
    stub = SimpleNamespace(
        column=columns.__getitem__, columns=list(columns),
        receptor_structure=2 * numbers, ligand_structure=2 * numbers + 1,
        store=SimpleNamespace(atoms=structures.__getitem__),
    )  # fmt: skip
    return cast(Dataset, stub)


def pairs_file(path: Path, data: Dataset) -> Path:
    hashes = [coordinates_hash(data.store.atoms(int(i)).xyz) for i in data.ligand_structure]
    lines = [f"{name},t,{h}" for name, h in zip(data.column("id"), hashes, strict=True)]
    path.write_text("\n".join(["id,target,coordinates", *lines]) + "\n")
    return path


@pytest.fixture
def trained(tmp_path: Path) -> tuple[Path, Dataset]:
    data = index([("a", receptor(random_sequence(150, 0)), ligand("CC(=O)Oc1ccccc1C(=O)O"))])
    return pairs_file(tmp_path / "training_pairs.csv", data), data


def test_nothing_in_common_is_none(trained: tuple[Path, Dataset]) -> None:
    pairs, training = trained
    other = index([("b", receptor(random_sequence(150, 9)), ligand("CN1CCC[C@H]1c1cccnc1"))])
    checks = check_overlap(pairs, other, np.array([0]), training)
    assert verdict(checks) == "none"


def test_each_kind_is_found_alone(trained: tuple[Path, Dataset]) -> None:
    pairs, training = trained
    strange = ligand("CN1CCC[C@H]1c1cccnc1")
    protein = receptor(random_sequence(150, 9))
    aspirin_elsewhere = ligand("CC(=O)Oc1ccccc1C(=O)O", seed=7)
    entries = [
        ("a", protein, strange),
        ("same position", protein, training.store.atoms(1)),
        ("same ligand", protein, aspirin_elsewhere),
        ("same protein", receptor(mutated(random_sequence(150, 0), 0.3, 1)), strange),
    ]
    checks = check_overlap(pairs, index(entries), np.arange(4), training)
    assert checks["id"].examples == ("a",)
    assert checks["coordinates"].examples == ("same position",)
    assert checks["ligand"].examples == ("same position", "same ligand")
    assert checks["sequence"].examples == ("same protein",)
    assert verdict(checks) == "found: id 1, coordinates 1, sequence 1, ligand 2 of 4"


def test_not_known_is_said(trained: tuple[Path, Dataset], tmp_path: Path) -> None:
    pairs, _ = trained
    other = index([("b", receptor(random_sequence(150, 9)), ligand("CCO"))])
    assert verdict(check_overlap(None, other, np.array([0]))) == "cannot know"
    assert verdict(check_overlap(tmp_path / "none.csv", other, np.array([0]))) == "cannot know"
    assert verdict(check_overlap(pairs, other, np.array([0]))) == "cannot know: sequence, ligand"
    same = index([("a", receptor(random_sequence(150, 9)), ligand("CCO"))])
    assert (
        verdict(check_overlap(pairs, same, np.array([0])))
        == "found: id 1 of 1; cannot know: sequence, ligand"
    )


def test_unrelated_sequences_are_far_from_the_cutoff() -> None:
    one = [random_sequence(200, seed) for seed in range(20)]
    assert max(identity(one[i], one[i + 1]) for i in range(19)) < 0.4
    assert similar_sequences(one[:10], one[10:], 0.5) == {}


@pytest.mark.parametrize("seed", range(5))
def test_related_sequences_are_found_with_gaps(seed: int) -> None:
    sequence = random_sequence(180, seed)
    relative = mutated(sequence[:60] + sequence[72:], 0.3, seed + 100)
    assert similar_sequences([relative], [random_sequence(180, 50 + seed), sequence], 0.5) == {
        relative: sequence
    }


def test_sequences_are_of_the_chains_at_the_ligand() -> None:
    sequence = random_sequence(40, 3)
    near = receptor(sequence)
    far = make_atoms("receptor", np.full((20, 3), 90.0), np.full(20, 6), ["ALA"] * 20, np.arange(20), "B")
    both = {
        name: np.concatenate([getattr(near, name), getattr(far, name)])
        for name in Atoms.__dataclass_fields__
        if name != "role"
    }
    assert chains_near(Atoms(role="receptor", **both), ligand("CCO")) == [sequence]


def test_a_fingerprint_is_of_the_molecule_not_of_the_pose() -> None:
    one, two = (fingerprint(ligand("CC(=O)Nc1ccc(O)cc1", seed)) for seed in (1, 5))
    assert nearest(one, [fingerprint(ligand("CCCCCC")), two]) == (1, 1.0)
    assert nearest(one, []) == (-1, 0.0)


def test_a_model_folder_alone_tells_proteins_and_ligands(
    trained: tuple[Path, Dataset], tmp_path: Path
) -> None:
    """What a model carries gives the verdicts that its training index gives."""
    pairs, training = trained
    rows = np.arange(1)
    assert write_training_sequences(tmp_path, training, rows) == 1
    assert write_training_ligands(tmp_path, training, rows) == 1
    strange, protein = ligand("CN1CCC[C@H]1c1cccnc1"), receptor(random_sequence(150, 9))
    entries = [
        ("same ligand", protein, ligand("CC(=O)Oc1ccccc1C(=O)O", seed=7)),
        ("same protein", receptor(mutated(random_sequence(150, 0), 0.3, 1)), strange),
        ("neither", protein, strange),
    ]
    other = index(entries)
    by_index = check_overlap(pairs, other, np.arange(3), training)
    by_folder = check_overlap(pairs, other, np.arange(3), seen_by([tmp_path]))
    assert by_folder == by_index
    assert verdict(by_folder) == "found: sequence 1, ligand 1 of 3"
    found = overlap_with_training(pairs, other, np.arange(3), tmp_path / "gone", [tmp_path])
    assert verdict(found) == verdict(by_index)


def test_an_ensemble_knows_what_all_of_its_members_know(
    trained: tuple[Path, Dataset], tmp_path: Path
) -> None:
    _, training = trained
    one, two = tmp_path / "one", tmp_path / "two"
    for folder in (one, two):
        folder.mkdir()
        write_training_sequences(folder, training, np.arange(1))
    assert seen_by([one, two]).sequences == {random_sequence(150, 0)}
    assert seen_by([one, two]).ligands is None and seen_by([]).sequences is None
    (two / FILE).unlink()
    assert seen_by([one, two]).sequences is None
    (two / FILE).write_text("not a sequence\n")
    with pytest.raises(AffinityZooError, match="not a sequence|get the model again"):
        seen_by([one, two])


def test_a_fine_tuned_model_has_seen_what_its_start_saw(
    trained: tuple[Path, Dataset], tmp_path: Path
) -> None:
    _, training = trained
    before, now, lost = (tmp_path / name for name in ("before", "now", "lost"))
    for folder in (before, now, lost):
        folder.mkdir()
    write_training_sequences(before, training, np.arange(1))
    write_training_ligands(before, training, np.arange(1))
    other = index([("b", receptor(random_sequence(150, 9)), ligand("CN1CCC[C@H]1c1cccnc1"))])
    assert write_training_sequences(now, other, np.arange(1), before) == 2
    assert write_training_ligands(now, other, np.arange(1), before) == 2
    # where the first model does not say what it saw, the second cannot say it either
    assert write_training_sequences(lost, other, np.arange(1), tmp_path) == 0
    assert seen_by([lost]).sequences is None


def scored(n: int, seen: list[int] | None = None) -> Predictions:
    """Two groups of poses; the score is right in the first half of the rows and wrong in the second."""
    label = np.tile([1.0, 0.0], n // 2)
    right = np.arange(n) < n // 2
    score = np.where(right, label, 1.0 - label)
    extra = {} if seen is None else {SEEN: np.array(seen)}
    group, empty = np.repeat(["a", "b"], n // 2), np.full(n, np.nan)
    return Predictions(
        id=np.array([f"r{i}" for i in range(n)]), target=group, group=group, molecule=np.full(n, "m"),
        source=np.full(n, "docked"), pose_label=label, active=empty, affinity=empty, rmsd=empty,
        docking_score=empty, score=score, extra=extra,
    )  # fmt: skip


def test_the_figure_without_overlap_is_that_of_the_other_rows() -> None:
    checks = {
        "id": Check("found", 4, 8, ids=frozenset({"r0", "r1", "r2", "r3"})),
        "ligand": Check("cannot know"),
    }
    rows = with_seen(scored(8), checks)
    assert rows.extra[SEEN].tolist() == [1, 1, 1, 1, 0, 0, 0, 0]
    scorers = default_scorers(rows)
    everything = next(iter(judge(rows).values()))
    figure = without_overlap(rows, seen_rows(rows, {}), scorers, None)
    assert figure is not None and everything.value == 0.5
    assert figure.name == everything.name and figure.value == 0.0 and figure.n == 1
    # what is computed here counts beside what is stated: nothing is taken back
    honest = {"id": Check("found", 2, 8, ids=frozenset({"r4", "r5"}))}
    assert seen_rows(rows, honest).tolist() == [True] * 6 + [False] * 2  # type: ignore[union-attr]


def test_no_figure_where_nothing_or_everything_was_seen() -> None:
    rows, unknown = scored(8), {"id": Check("cannot know")}
    scorers = default_scorers(rows)
    assert SEEN not in with_seen(rows, unknown).extra
    assert seen_rows(rows, unknown) is None
    for seen in (None, np.zeros(8, bool), np.ones(8, bool)):
        assert without_overlap(rows, seen, scorers, None) is None
    # a row that states nothing may have been seen
    missing = scored(8, seen=[0, 0, 0, 0, 1, 0, 0, 0])
    missing.extra[SEEN] = np.where(np.arange(8) == 0, np.nan, missing.extra[SEEN])
    assert seen_rows(missing, {}).tolist() == [True, False, False, False, True, False, False, False]  # type: ignore[union-attr]
