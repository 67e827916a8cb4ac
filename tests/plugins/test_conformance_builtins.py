"""Every built-in goes through the checks that plugin authors are given."""

from __future__ import annotations

import pytest

from affinity_zoo.plugins.testing import check
from affinity_zoo.zoo.catalog.registry import BUILTINS, catalog

NAMES = [(kind, name) for kind, table in BUILTINS.items() for name in table]

#: further options under which a built-in must hold
OPTIONS: dict[str, list[dict[str, object]]] = {
    "atom-types": [{"parts": "ligand"}, {"scheme": "default2017", "density": "binary"}],
    "element-tag": [{"parts": "receptor"}],
}


@pytest.mark.parametrize(("kind", "name"), NAMES, ids=[name for _, name in NAMES])
def test_builtins_conform(kind: str, name: str) -> None:
    for options in ({}, *OPTIONS.get(name, [])):
        report = check(kind, catalog().create(kind, name, options))
        assert report.ok, f"{options}: {report.text()}"
