"""The featurizer conforms, and each flag goes to its channel."""

import dataclasses

import numpy as np
import pytest
from zoo_pharmacophore import FEATURES, Pharmacophore

from affinity_zoo.plugins.contracts import AtomFlag
from affinity_zoo.plugins.testing import check_featurizer, sample_atoms


def test_conformance():
    check_featurizer(Pharmacophore)


@pytest.mark.parametrize("role", ["receptor", "ligand"])
@pytest.mark.parametrize("feature", FEATURES)
def test_a_feature_has_its_channel(role, feature):
    atoms = sample_atoms(role, 2)
    flags = np.array([int(FEATURES[feature]), 0], np.uint16)
    featurizer = Pharmacophore()
    values = featurizer.encode(dataclasses.replace(atoms, flags=flags)).values
    expected = np.zeros_like(values)
    expected[0, featurizer.channels.index(f"{role}-{feature}")] = 1
    np.testing.assert_array_equal(values, expected)


def test_waters_are_an_option():
    atoms = dataclasses.replace(
        sample_atoms("receptor", 1), flags=np.array([AtomFlag.WATER | AtomFlag.DONOR], np.uint16)
    )
    assert not Pharmacophore().encode(atoms).values.any()
    assert Pharmacophore(waters=True).encode(atoms).values.sum() == 1


def test_a_radius_that_makes_no_sense_is_refused():
    with pytest.raises(ValueError, match="0.5 to 3"):
        Pharmacophore(radius=9.0)
