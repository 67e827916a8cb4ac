"""Affinities as people write them, as pK (-log10 of M) with kind and relation. A cell is read whole or not at all."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

_KINDS: Final = {"kd": "Kd", "ki": "Ki", "ic50": "IC50", "ec50": "EC50", "ac50": "AC50", "potency": "potency"}
_KIND: Final = r"(?P<p>p|[-\u2212]\s*log(?:10)?\s*\(?\s*)?(?P<kind>kd|ki|ic50|ec50|ac50|potency)\)?"
_PREFIX: Final = {"": 0, "m": -3, "u": -6, "n": -9, "p": -12, "f": -15}
_LONG: Final = {"": "", "milli": "m", "micro": "u", "nano": "n", "pico": "p", "femto": "f"}
#: M, nM, nmol/L, nmol l-1, nanomolar and their like
_UNIT: Final = (
    r"(?P<unit>(?:milli|micro|nano|pico|femto)?molar|[munpfµμ]?mol\s*(?:/\s*(?:l|dm3|dm\^3|dm³)|[\s.·*]?\s*(?:l|dm)\s*"
    r"(?:\^?-[13]|⁻[¹³]))|[munpfµμ]?M)"
)
_DIGITS: Final = r"\d+(?:[.,'’ \u00a0\u2009\u202f_]\d+)*[.,]?|[.,]\d+"
_POWER: Final = r"(?:e|\s*(?:[x×·*]\s*)10\s*(?:\^|\*\*)?)\s*(?P<power>[-+]?\d+)"
_VALUE: Final = (
    rf"(?P<sign>[-+])?(?:(?P<digits>{_DIGITS})(?:{_POWER})?|10\s*(?:\^|\*\*)\s*(?P<alone>[-+]?\d+))"
)
_ERROR: Final = r"(?:\s*(?:±|\+/-|\+-)\s*[\d.,]+(?:e[-+]?\d+)?|\s*\(\s*[\d.,]+\s*\))"
_RELATION: Final = r"(?P<relation><=|>=|=<|=>|<<|>>|≤|≥|=~|~=|<|>|=|~|≈|≅|ca\.?|approx\.?|about)"
_TEXT: Final = re.compile(
    rf"\s*(?:{_KIND})?\s*:?\s*{_RELATION}?\s*{_VALUE}{_ERROR}?\s*(?:{_UNIT})?{_ERROR}?\s*"
    rf"(?:{_UNIT.replace('unit', 'behind')})?\s*",
    re.IGNORECASE,
)
_COLUMN: Final = re.compile(
    rf"^(?:standard[\s_]*)?{_KIND}(?:[\s_(\[/-]*{_UNIT}(?![a-z])[)\]]*)?", re.IGNORECASE
)
_COLUMN_UNIT: Final = re.compile(rf"[\s_(\[]{_UNIT}[)\]]*$")  #: as in ``affinity_nM``; its case counts
_NOTHING: Final = frozenset(("", "nan", "na", "n/a", "none", "null", "nd", "n.d.", "-", "--", "?", "."))
_RELATIONS: Final = {
    "<=": "<", "=<": "<", "≤": "<", "<<": "<", ">=": ">", "=>": ">", "≥": ">", ">>": ">", "<": "<", ">": ">", "=": "=",
}  # fmt: skip
_ABOUT: Final = frozenset(("~", "=~", "~=", "≈", "≅", "ca", "ca.", "approx", "approx.", "about"))
_SUPERSCRIPTS: Final = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
_GROUPS: Final = re.compile(r"\d{1,3}(?:([.,'’ \u00a0\u2009\u202f_])\d{3})(?:\1\d{3})*")
RANGE: Final = (-3.0, 18.0)  #: pK outside of it is a mistake in the file
_TOO_HIGH: Final = 0.2  #: share of numbers above this range beyond which a column holds concentrations
_NEGATIVE: Final = 0.9  #: share of negative numbers beyond which it holds energies
_MOLAR: Final = 0.1  #: a bare number under a column such as Kd is a concentration in M below this


@dataclass(frozen=True)
class Affinity:
    """One measured affinity."""

    pk: float  #: -log10 of M
    kind: str = ""  #: Kd, Ki, IC50, EC50, or "" where it is not said
    relation: str = "="  #: of the pK: "<" where the file says IC50 > 10 uM, "~" where it says about
    note: str = ""  #: what had to be decided
    bare: bool = False  #: a number without a unit or a kind, taken as a pK
    concentration: bool = False  #: the file gives a concentration: its relation was turned round


class NotPkError(ValueError):
    """A number that no pK can be."""


def parse_affinity(text: str, column: str = "", decimal_comma: bool = False) -> Affinity | None:
    """Read an affinity; an empty cell is None.

    Args:
        text: ``Ki=3.2nM``, ``IC50>10uM``, ``1.5 x 10^-8 M``, ``pKd=6.3``, or a bare number, which is a pK unless
            ``column`` says a unit.
        column: the name of the column it stands in: ``IC50_nM``, ``Ki (µM)``, ``pKi``, ``pK``.
        decimal_comma: the table writes decimals with a comma; else ``1,250`` is a thousand and more.

    Raises:
        ValueError: it is none of these as a whole, has no unit, or is no possible affinity.
    """
    plain = text.partition("//")[0].strip().replace("\u2212", "-").replace("–", "-").translate(_SUPERSCRIPTS)
    if plain.lower() in _NOTHING:
        return None
    found = _TEXT.fullmatch(plain)
    if found is None or (found["unit"] and found["behind"]):
        raise ValueError(f"{text.strip()!r} is not an affinity such as 'Ki=3.2nM', 'IC50>10uM' or a pK")
    heading = _COLUMN.match(column.strip())
    said = bool(found["kind"])
    unit = found["unit"] or found["behind"]
    if unit is None and not said:
        of_column = heading or _COLUMN_UNIT.search(column.strip())
        unit = of_column["unit"] if of_column else None
    kind = _KINDS.get((found["kind"] or (heading["kind"] if heading else "") or "").lower(), "")
    given = (found["relation"] or "=").lower()
    relation = _RELATIONS.get(given, "~")
    logarithm = bool(found["p"]) if said else not heading or bool(heading["p"])
    value = _number(found, decimal_comma, logarithm and unit is None)
    note = ""
    if unit is None and not logarithm:
        if said or not 0 < value < _MOLAR:
            raise ValueError(
                f"{text.strip()!r} has no unit (M, mM, uM, nM, pM): write the unit after the value or in "
                "the name of the column"
            )
        unit, note = "M", f"{text.strip()!r} taken as M"
    if unit is None:
        pk = value
    else:
        if value <= 0:
            raise ValueError(f"{text.strip()!r} is not a positive concentration")
        pk = -math.log10(value) - _exponent(unit)
        relation = {"<": ">", ">": "<"}.get(relation, relation)
    if not RANGE[0] <= pk <= RANGE[1]:
        kind_of_error = ValueError if said or unit else NotPkError
        raise kind_of_error(
            f"{text.strip()!r} would be a pK of {pk:.3g}: is it a concentration without its unit?"
        )
    return Affinity(round(pk, 6), kind, relation, note, not said and unit is None, unit is not None)


def with_relation(affinity: Affinity, cell: str) -> Affinity:
    """Return an affinity with the relation of a column of its own, which is that of the number as the file gives it.

    Args:
        affinity: as parsed.
        cell: ``>``, ``'>='``, ``~``; empty: none.

    Raises:
        ValueError: it is no relation, or contradicts that of the affinity's cell.
    """
    text = cell.strip().strip("'\"").strip().lower()
    if text in _NOTHING:
        return affinity
    if text not in _RELATIONS and text not in _ABOUT:
        raise ValueError(f"{cell.strip()!r} is no relation such as '=', '<' or '>'")
    relation = _RELATIONS.get(text, "~")
    if affinity.concentration:
        relation = {"<": ">", ">": "<"}.get(relation, relation)
    if affinity.relation in ("=", relation):
        return replace(affinity, relation=relation)
    if relation == "=":
        return affinity
    raise ValueError(f"the cell of the affinity and the relation {cell.strip()!r} contradict each other")


def no_pk(cells: Iterable[str], column: str, decimal_comma: bool = False) -> str:
    """Return why the numbers without a unit of a column are no pK; empty: they may be.

    Concentrations and energies lie in part in the range of pK values: the column is judged as a whole. gnina's lists
    have negative pK values beside positive ones, energies are nearly all negative.

    Args:
        cells: of the column.
        column: its name.
        decimal_comma: as for :func:`parse_affinity`.
    """
    fit = 0
    high: list[str] = []
    negative: list[str] = []
    for cell in cells:
        minus = cell.strip().startswith(("-", "\u2212"))
        try:
            found = parse_affinity(cell, column, decimal_comma)
        except NotPkError:
            (negative if minus else high).append(cell.strip())
        except ValueError:
            continue
        else:
            if found is not None and found.bare:
                negative += [cell.strip()] if minus else []
                fit += not minus
    total = fit + len(high) + len(negative)
    for strange, least in ((high, _TOO_HIGH), (negative, _NEGATIVE)):
        if len(strange) > least * total:
            return (
                f"{len(strange)} of {total} numbers of column {column} are like {strange[0]!r}, so that none is taken "
                "for a pK: write the unit into the column's name (affinity_nM), or give pK values"
            )
    return ""


def names_affinity(column: str) -> bool:
    """Whether the name of a column says that it holds affinities: ``IC50 (nM)``, ``pKi``.

    Args:
        column: its name.
    """
    found = _COLUMN.match(column.strip())
    return found is not None and found.end() == len(column.strip())


def uses_decimal_comma(cells: list[str]) -> bool | None:
    """Whether a column writes decimals with a comma: True, False (with a point), None: no cell is decisive.

    Args:
        cells: of the column.
    """
    comma = point = False
    for cell in cells:
        for number in re.findall(r"\d[\d.,]*\d", cell):
            comma |= bool(re.fullmatch(r"\d+,\d{1,2}|\d+,\d{4,}|0+,\d+|\d{1,3}(?:\.\d{3})+,\d+", number))
            point |= bool(re.fullmatch(r"\d+\.\d{1,2}|\d+\.\d{4,}|0+\.\d+|\d{1,3}(?:,\d{3})+\.\d+", number))
    return True if comma and not point else False if point and not comma else None


def _number(found: re.Match[str], decimal_comma: bool, logarithm: bool) -> float:
    if found["alone"] is not None:
        return float(10.0 ** int(found["alone"]))
    value = _digits(found["digits"], decimal_comma or logarithm) * (-1 if found["sign"] == "-" else 1)
    return value * 10.0 ** int(found["power"]) if found["power"] else value


def _digits(text: str, decimal_comma: bool) -> float:
    """A number with separators of thousands, and a decimal point or comma.

    Raises:
        ValueError: the separators do not fit together.
    """
    if re.fullmatch(r"\d+\.?|\d*\.\d+", text):
        return float(text)
    marks = [c for c in text if not c.isdigit()]
    last = marks[-1]
    if last in ".," and marks.count(last) == 1:
        whole, _, part = text.rpartition(last)
        if len(marks) > 1:  # the last of two kinds is the decimal mark
            if _GROUPS.fullmatch(whole) and last not in whole:
                return float(f"{re.sub(r'[^0-9]', '', whole)}.{part or 0}")
        elif last == "." or decimal_comma or not _GROUPS.fullmatch(text) or whole.startswith("0"):
            return float(f"{whole or 0}.{part or 0}")
    if _GROUPS.fullmatch(text) and not text.startswith("0"):
        return float(re.sub(r"[^0-9]", "", text))
    raise ValueError(f"{text!r} is not a number: its thousands and decimal separators contradict each other")


def _exponent(unit: str) -> int:
    """Power of ten of a unit; ``nm`` and ``NM`` are nM, but ``MM`` cannot be distinguished from mM."""
    text = unit.replace("µ", "u").replace("μ", "u").lower()
    if text.endswith("molar"):
        return _PREFIX[_LONG[text.removesuffix("molar")]]
    return _PREFIX[text.partition("mol")[0] if "mol" in text else text[:-1]]
