"""The architecture conforms, with and without its own layer."""

import pytest
from zoo_densenet3d import DenseNet3D

from affinity_zoo.plugins.testing import check_architecture


@pytest.mark.parametrize("squeeze", [0, 4])
def test_conformance(squeeze):
    check_architecture(DenseNet3D, squeeze=squeeze)


def test_options_change_the_network():
    small = DenseNet3D(blocks=(1,), growth=4).build((8, 8, 8, 2))
    large = DenseNet3D(blocks=(2, 2), growth=8).build((8, 8, 8, 2))
    assert small.count_params() < large.count_params()


def test_options_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match="at least 1"):
        DenseNet3D(blocks=())
