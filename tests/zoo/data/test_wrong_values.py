"""Values that other programs read as something else, or that cannot be true: refused with a sentence, never used."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rdkit import Chem
from rdkit.Chem import AllChem

from affinity_zoo.plugins.errors import AffinityZooError, UsageError
from affinity_zoo.zoo.data.readers import PoseRecord, read_poses
from affinity_zoo.zoo.data.splits.dates import sortable
from affinity_zoo.zoo.data.splits.groups import check_fractions


@pytest.fixture(scope="module")
def molecule() -> Chem.Mol:
    """A molecule in 3D."""
    made = Chem.AddHs(Chem.MolFromSmiles("c1ccncc1C(=O)NC"))
    AllChem.EmbedMolecule(made, randomSeed=1)
    return made


def records(path: Path, text: str) -> list[PoseRecord]:
    path.write_text(text)
    return list(read_poses(path))


V2000 = re.compile(r"^( *-?\d+)\.(\d{4})( *-?\d+)\.(\d{4})( *-?\d+)\.(\d{4} [A-Z])", re.M)
V3000 = re.compile(r"^(M  V30 \d+ [A-Z] -?\d+)\.(\d+ -?\d+)\.(\d+ -?\d+)\.(\d+)", re.M)


@pytest.mark.parametrize("version", [2000, 3000])
@pytest.mark.parametrize("good_before", [False, True])
def test_decimal_commas_in_an_sdf_are_refused(
    molecule: Chem.Mol, tmp_path: Path, version: int, good_before: bool
) -> None:
    block = (Chem.MolToMolBlock if version == 2000 else Chem.MolToV3KMolBlock)(molecule)
    change = V2000 if version == 2000 else V3000
    comma, changed = change.subn(
        lambda found: (
            ",".join([found[1], found[2] + found[3], found[4] + found[5], found[6]])
            if version == 2000
            else ",".join(found.groups())
        ),
        block,
    )
    assert changed == molecule.GetNumAtoms()
    # a good record of the same molecule before: its types are known, only the coordinates are read
    text = (block + "$$$$\n" if good_before else "") + comma + "$$$$\n"
    *good, bad = records(tmp_path / "a.sdf", text)
    assert all(record.atoms is not None for record in good) and len(good) == good_before
    assert bad.atoms is None and bad.failure is not None
    assert "where a coordinate belongs" in bad.failure.reason and "decimal point" in bad.failure.reason


def test_an_empty_coordinate_is_not_zero(molecule: Chem.Mol, tmp_path: Path) -> None:
    lines = Chem.MolToMolBlock(molecule).split("\n")
    lines[6] = lines[6][:20] + " " * 10 + lines[6][30:]
    (record,) = records(tmp_path / "a.sdf", "\n".join(lines) + "\n$$$$\n")
    assert record.failure is not None and record.failure.reason.startswith("line 7 of the record has ''")


@pytest.mark.parametrize("version", [2000, 3000])
def test_usual_records_are_read(molecule: Chem.Mol, tmp_path: Path, version: int) -> None:
    block = (Chem.MolToMolBlock if version == 2000 else Chem.MolToV3KMolBlock)(molecule)
    (record,) = records(tmp_path / "a.sdf", block + "$$$$\n")
    assert record.atoms is not None
    heavy = [atom.GetIdx() for atom in molecule.GetAtoms() if atom.GetAtomicNum() > 1]
    np.testing.assert_allclose(record.atoms.xyz, molecule.GetConformer().GetPositions()[heavy], atol=1e-3)


@given(
    st.lists(st.dates(date(1970, 1, 1), date(2030, 12, 31)), min_size=2, max_size=8), st.sampled_from("-/.")
)
def test_dates_sort_however_they_are_written(days: list[date], mark: str) -> None:
    padded = [day.isoformat() for day in days]
    for written in (
        padded,
        [f"{day.year}{mark}{day.month}{mark}{day.day}" for day in days],
        [f"{day:%Y%m%d}" for day in days],
        [f"{day.isoformat()}T12:00:00Z" for day in days],
    ):
        assert sortable(written, "date") == (padded, "")


def test_years_as_pandas_writes_them_and_other_text() -> None:
    assert sortable(["2019.0", "2007", "2007-3"], "year") == (["2019", "2007", "2007-03"], "")
    numbers, note = sortable(["10", "9", "-1", "9.0"], "release")
    assert numbers[2] < numbers[1] == numbers[3] < numbers[0] and "as numbers" in note
    assert sortable(["b", "a"], "batch") == (["b", "a"], "batch holds no years: rows are sorted as text")


@pytest.mark.parametrize(
    "dates",
    [
        ["31/05/2019", "01/06/2018"],
        ["2019", "31.5.19"],
        ["May 2019", "Jun 2018"],
        ["5/2019", "6/2018"],
        ["2019", "?"],
    ],
)
def test_dates_that_do_not_sort_are_refused(dates: list[str]) -> None:
    with pytest.raises(AffinityZooError, match="column date has .* the year, such as 2019"):
        sortable(dates, "date")


def test_fractions_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(UsageError, match="add up to 1"):
        check_fractions((0.5, float("nan"), 0.5))
