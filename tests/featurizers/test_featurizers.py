"""The built-in featurizers: tables, counts of what has no place, options, cheap imports."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from affinity_zoo.featurizers import gnina_types
from affinity_zoo.featurizers.atom_types import AtomTypes
from affinity_zoo.featurizers.element_tag import ElementTag
from affinity_zoo.plugins.contracts import UNTYPED, Atoms


def atoms(role, elements=None, types=None):
    n = len(elements if elements is not None else types)
    return Atoms(
        role=role,
        xyz=np.zeros((n, 3), np.float32),
        element=np.array(elements if elements is not None else [6] * n, np.uint8),
        atom_type=np.array(types if types is not None else [2] * n, np.uint8),
        flags=np.zeros(n, np.uint16),
        charge=np.zeros(n, np.int8),
        name=np.full(n, b"C"),
        residue_name=np.full(n, b"LIG"),
        residue_number=np.ones(n, np.int32),
        chain=np.full(n, b"A"),
    )


def test_element_tags_of_the_ancestor():
    elements = [1, 5, 6, 7, 15, 8, 16, 9, 17, 35, 53, 30, 34, 0, 200]
    tags = [0, 5, 6, 7, 7, 8, 8, 9, 9, 9, 9, 12, 12, 12, 12]
    encoding = ElementTag().encode(atoms("ligand", elements))
    np.testing.assert_array_equal(encoding.value, tags)
    np.testing.assert_array_equal(encoding.channel, [-1] + [0] * 14)
    assert encoding.unknown == 2
    receptor = ElementTag().encode(atoms("receptor", elements))
    np.testing.assert_array_equal(receptor.value, [0] + [tag + 20 for tag in tags[1:]])
    assert ElementTag().channels == ("element-tag",)
    assert ElementTag().voxelization == "nearest"


@pytest.mark.parametrize("featurizer", [ElementTag, AtomTypes])
def test_parts_leave_the_other_part_out(featurizer):
    ligand, receptor = atoms("ligand", [6, 8], [2, 13]), atoms("receptor", [6, 8], [2, 13])
    only = featurizer(parts="ligand")
    assert (only.encode(receptor).channel == -1).all()
    assert (only.encode(ligand).channel >= 0).all()
    other = featurizer(parts="receptor")
    assert (other.encode(ligand).channel == -1).all()
    assert (other.encode(receptor).channel >= 0).all()
    assert only.options()["parts"] == "ligand"


def test_atom_types_channels_and_radii():
    """The maps of gnina's default scheme, written out again from its documentation."""
    receptor = {0: [2], 1: [3], 2: [4], 3: [5], 4: [19, 20, 18, 17], 5: [6, 9], 6: [7, 8], 7: [10, 13]}
    receptor |= {8: [12, 11], 9: [14, 15], 10: [16], 11: [24], 12: [23], 13: [26, 27, 22, 21, 25]}
    ligand = {
        0: [2],
        1: [3],
        2: [4],
        3: [5],
        4: [19, 20],
        5: [18],
        6: [17],
        7: [6, 9],
        8: [7, 8],
        9: [10, 13],
    }
    ligand |= {10: [12, 11], 11: [14, 15], 12: [16], 13: [26, 27, 22, 21, 23, 24, 25]}
    featurizer = AtomTypes()
    for role, table, first in (("receptor", receptor, 0), ("ligand", ligand, 14)):
        encoding = featurizer.encode(atoms(role, types=range(28)))
        expected = np.full(28, -1)
        for channel, types in table.items():
            expected[types] = channel + first
        np.testing.assert_array_equal(encoding.channel, expected)
        np.testing.assert_allclose(
            encoding.radius[[0, 2, 8, 13, 16, 17, 20, 25, 27]],
            [0.37, 1.9, 1.8, 1.7, 2.1, 1.5, 2.2, 1.2, 1.92],
        )
        assert encoding.unknown == 0 and encoding.value is None
    assert len(featurizer.channels) == 28 and len(set(featurizer.channels)) == 28
    assert featurizer.channels[0].startswith("receptor-") and featurizer.channels[14].startswith("ligand-")


def test_what_has_no_place_is_counted():
    assert AtomTypes().encode(atoms("ligand", types=[2, UNTYPED, UNTYPED, 1])).unknown == 2
    old = AtomTypes(scheme="default2017")
    assert len(old.channels) == 35
    encoding = old.encode(atoms("receptor", types=[2, 14, 15, 23]))
    np.testing.assert_array_equal(encoding.channel, [0, 14, -1, 15])
    assert encoding.unknown == 1
    assert old.encode(atoms("ligand", types=[15])).channel[0] == 16 + 16
    # An atom of the part that is not imaged is not unknown.
    assert AtomTypes(parts="ligand").encode(atoms("receptor", types=[2, UNTYPED])).unknown == 1


@pytest.mark.parametrize(("parts", "count"), [("both", 28), ("ligand", 14), ("receptor", 14)])
def test_channels_follow_the_parts(parts, count):
    featurizer = AtomTypes(parts=parts)
    assert len(featurizer.channels) == count
    for role in ("receptor", "ligand"):
        assert featurizer.encode(atoms(role, types=range(28))).channel.max() < count


def test_density_option_names_the_voxelization():
    assert AtomTypes().voxelization == AtomTypes.voxelization == "gaussian"
    assert AtomTypes(density="binary").voxelization == "binary"


def test_tables_are_complete():
    assert len(gnina_types.TYPES) == 28
    for receptor, ligand in gnina_types.SCHEMES.values():
        for table in (receptor.table(), ligand.table()):
            assert table[0] == table[1] == -1  # hydrogens
    assert all(channel >= 0 for channel in gnina_types.RECEPTOR_CHANNELS.table()[2:])
    assert all(channel >= 0 for channel in gnina_types.LIGAND_CHANNELS.table()[2:])


def test_registering_imports_nothing_heavy():
    script = (
        "import sys, affinity_zoo.featurizers.atom_types as a, affinity_zoo.featurizers.element_tag as e\n"
        "assert a.register_featurizers() and e.register_featurizers()\n"
        "heavy = {'numpy', 'keras', 'tensorflow', 'torch', 'numba', 'rdkit', 'prody'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_open_babels_types_of_tryptophan_and_histidine() -> None:
    """As molgrid's Open Babel types a PDB file without hydrogens; other residues and typed input stay as they are."""
    residues = [b"TRP", b"TRP", b"HIS", b"HIS", b"PHE", b""]
    names = [b"CZ2", b"CE2", b"ND1", b"NE2", b"CZ", b""]
    types = np.array([4, 5, 7, 7, 4, 4], np.uint8)
    n = len(types)
    atoms = Atoms(
        "receptor", np.zeros((n, 3), np.float32), np.full(n, 6, np.uint8), types, np.zeros(n, np.uint16),
        np.zeros(n, np.int8), np.array(names, "S4"), np.array(residues, "S4"), np.zeros(n, np.int32),
        np.full(n, b"A", "S4"),
    )  # fmt: skip
    ours, theirs = AtomTypes().encode(atoms), AtomTypes(typing="openbabel").encode(atoms)
    assert ours.channel is not None and theirs.channel is not None
    assert ours.channel.tolist() == [2, 3, 6, 6, 2, 2]
    assert theirs.channel.tolist() == [0, 1, 5, 6, 2, 2]
    assert theirs.radius == pytest.approx([gnina_types.TYPE_RADII[t] for t in (2, 3, 9, 7, 4, 4)])
    assert types.tolist() == [4, 5, 7, 7, 4, 4]
    as_ligand = Atoms(**{**vars(atoms), "role": "ligand"})
    assert (
        AtomTypes(typing="openbabel").encode(as_ligand).channel.tolist()
        == AtomTypes().encode(as_ligand).channel.tolist()
    )  # type: ignore[union-attr]
