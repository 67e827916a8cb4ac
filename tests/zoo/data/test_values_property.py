"""Values of tables: affinities in any locale and spelling, delimiters, encodings, headers."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affinity_zoo.zoo.data.layouts.affinity import parse_affinity, uses_decimal_comma
from affinity_zoo.zoo.data.layouts.csv_table import Table
from affinity_zoo.zoo.data.layouts.recognise import Hints, recognise

UNITS = {
    "M": 0, "mM": -3, "uM": -6, "µM": -6, "μM": -6, "nM": -9, "pM": -12, "nmol/L": -9, "umol/l": -6, "mol/L": 0,
    "nanomolar": -9, "nmol L-1": -9, "nmol·L⁻¹": -9, "pmol/dm3": -12,
}  # fmt: skip
THOUSANDS = {"en": (",", "."), "de": (".", ","), "fr": ("\u202f", ","), "ch": ("'", "."), "plain": ("", ".")}


def _written(value: float, decimals: int, locale: str) -> str:
    group, point = THOUSANDS[locale]
    return f"{value:,.{decimals}f}".replace(",", "\0").replace(".", point).replace("\0", group)


@given(
    st.integers(1, 10**9), st.sampled_from([1, 2, 4]), st.sampled_from(sorted(UNITS)),
    st.sampled_from(sorted(THOUSANDS)), st.sampled_from(["", "<", ">", "=", "~", ">=", "=~"]),
)  # fmt: skip
def test_a_concentration_is_read_in_any_locale(
    whole: int, decimals: int, unit: str, locale: str, relation: str
) -> None:
    value = whole / 10**decimals
    pk = -math.log10(value) - UNITS[unit]
    text = f"{relation}{_written(value, decimals, locale)} {unit}"
    if not -3 <= pk <= 18:
        with pytest.raises(ValueError, match="pK"):
            parse_affinity(text)
        return
    found = parse_affinity(text)
    assert found is not None
    assert found.pk == pytest.approx(pk, abs=1e-5)
    assert found.relation == {"": "=", "<": ">", ">": "<", ">=": "<", "~": "~", "=~": "~"}.get(
        relation, relation
    )


@given(st.integers(1, 999), st.integers(0, 999), st.booleans())
def test_one_mark_and_three_digits_follow_the_column(front: int, behind: int, comma: bool) -> None:
    text = f"{front},{behind:03d}"
    value = float(text.replace(",", ".")) if comma else float(text.replace(",", ""))
    found = parse_affinity(text, "IC50_nM", decimal_comma=comma)
    assert found is not None and found.pk == pytest.approx(9 - math.log10(value), abs=1e-5)


@given(
    st.floats(1, 9.99), st.integers(-12, -1), st.sampled_from(["e{}", " x 10^{}", "×10^{}", "*10**{}", "E{}"])
)
def test_powers_of_ten(mantissa: float, power: int, how: str) -> None:
    found = parse_affinity(f"{mantissa:.3f}{how.format(power)} M")
    assert found is not None and found.pk == pytest.approx(-math.log10(round(mantissa, 3)) - power, abs=1e-5)


@given(st.text(alphabet="0123456789.,-+ ±xnµMKdi<>=~e/()", max_size=14))
def test_a_cell_is_read_whole_or_refused(text: str) -> None:
    try:
        found = parse_affinity(text)
    except ValueError:
        return
    assert found is None or (-3 <= found.pk <= 18 and found.relation in "<>=~")


@pytest.mark.parametrize(
    "text",
    ["10-20 nM", "10 to 20 nM", "12 nM strong", "5 foo", "1,25,0 nM", "Kd=5", "nM", "4 5 nM", "8 kcal/mol"],
)
def test_what_is_no_single_value_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"affinity|unit|number|positive"):
        parse_affinity(text)


@pytest.mark.parametrize(
    ("text", "column", "pk"),
    [
        ("10 ± 2 nM", "", 8.0), ("10 nM +/- 2", "", 8.0), ("3.2(5) nM", "", 8.49485), ("1e-9", "Kd", 9.0),
        ("50", "IC50 (nM)", 7.30103), ("0,5", "Ki [µM]", 6.30103), ("7.2", "pKi", 7.2), ("6,3", "pK", 6.3),
        ("5", "affinity_nM", 8.30103), ("10^-8 M", "", 8.0), ("1.5×10⁻⁸ M", "", 7.823909),
    ],
)  # fmt: skip
def test_usual_spellings(text: str, column: str, pk: float) -> None:
    found = parse_affinity(text, column)
    assert found is not None and found.pk == pytest.approx(pk, abs=1e-5)


def test_a_column_without_a_unit_is_no_pk() -> None:
    for column in ("Kd", "Ki", "IC50", "EC50"):
        with pytest.raises(ValueError, match="unit"):
            parse_affinity("6.3", column)


def test_a_column_tells_its_decimal_mark() -> None:
    assert uses_decimal_comma(["1,250", "6,3"]) is True
    assert uses_decimal_comma(["1,250", "6.3"]) is False
    assert uses_decimal_comma(["1,250", "12"]) is None


CELL = st.text(alphabet="abcdefgh XYZ0123456789äµ", min_size=1, max_size=8).map(str.strip).filter(bool)


@settings(max_examples=40)
@given(
    st.lists(st.tuples(CELL, CELL), min_size=1, max_size=5),
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
    st.sampled_from([str.lower, str.upper, str.title]),
)
def test_tables_of_any_delimiter_and_encoding(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[str, str]],
    mark: str,
    encoding: str,
    end: str,
    told: bool,
    case: object,
) -> None:
    path = tmp_path_factory.mktemp("t") / "t.csv"
    header = mark.join(case(name) for name in ("receptor", "ligand"))  # type: ignore[operator]
    lines = [*([f"sep={mark}"] if told else []), header, *(mark.join(row) for row in rows)]
    path.write_bytes(
        (end.join(lines) + end).replace("µ", "m" if encoding == "cp1252" else "µ").encode(encoding)
    )
    table = Table(path)
    wanted = [tuple(cell.replace("µ", "m" if encoding == "cp1252" else "µ") for cell in row) for row in rows]
    assert [tuple(cell.strip() for cell in row) for _, row in table.rows()] == wanted
    assert table.named("RECEPTOR") == table.names[0]


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_a_bad_truth_costs_the_truth_and_no_pose(tmp_path: Path, mark: str) -> None:
    path = tmp_path / "t.csv"
    rows = [
        ["Receptor", "LIGAND", "Label", "IC50 (nM)"],
        ["r.pdb", "a.sdf", "1", "12"],
        ["r.pdb", "b.sdf", "maybe", "10-20"],
    ]
    path.write_text("\n".join(mark.join(row) for row in rows))
    plan = recognise(path, Hints())
    assert [item.ligand for item in plan.items] == ["a.sdf", "b.sdf"] and not plan.failures
    first, second = (item.values for item in plan.items)
    assert (first["pose_label"], first["affinity"]) == (1, pytest.approx(7.920819))
    assert "pose_label" not in second and "affinity" not in second
    assert any("affinity left out" in note and "line 3" in note for note in plan.notes)


def test_a_comma_that_may_be_either_is_not_guessed(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("receptor;ligand;IC50_nM\nr.pdb;a.sdf;1,250\n")
    (item,) = recognise(path, Hints()).items
    assert "affinity" not in item.values
    path.write_text("receptor;ligand;IC50_nM\nr.pdb;a.sdf;1,250\nr.pdb;b.sdf;6,3\n")
    first, _ = recognise(path, Hints()).items
    assert first.values["affinity"] == pytest.approx(9 - math.log10(1.25))
