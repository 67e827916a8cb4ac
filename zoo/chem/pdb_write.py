"""PDB text of receptors and poses, written in the same way, so that poses differ in their positions only."""

from __future__ import annotations

import string
from collections.abc import Sequence
from itertools import product
from typing import Any

from numpy.typing import NDArray

CODE = string.digits + string.ascii_uppercase
CHAINS = string.ascii_uppercase + string.ascii_lowercase + string.digits


def atom_lines(
    xyz: NDArray[Any],
    symbol: Sequence[str],
    name: Sequence[str],
    residue_name: Sequence[str],
    residue_number: Sequence[int],
    *,
    insertion: Sequence[str] | None = None,
    chain: Sequence[str] | None = None,
    hetero: bool = False,
) -> str:
    """Atoms as PDB lines with END: occupancy 1.00, B factor 0.00, no bonds.

    Residue names have three letters in the format. Of a name of four letters (``TIP3``) the first three are written if
    no other name has them; else, and for longer names (PDB codes such as ``A1BXY``), ``~`` and two characters that are
    unique in the text. A REMARK line gives the full name.

    Args:
        xyz: (N, 3) Å; values outside -999 to 9999 do not fit the format.
        symbol: element symbols.
        name: as in the source, cut to four letters.
        residue_name: as in the source; see above for names of more than three letters.
        residue_number: taken modulo 10,000, as the format asks.
        insertion: insertion codes; chain: names of any length, renamed A, B, ... in the order of first use
            where one is longer than a letter.
        hetero: HETATM instead of ATOM.
    """
    n = len(xyz)
    insertion = insertion if insertion is not None else [""] * n
    letters = _one_letter(chain if chain is not None else ["A"] * n)
    short_names = _short_names(residue_name)
    record = "HETATM" if hetero else "ATOM  "
    lines = [
        f"REMARK 900 RESIDUE {new.strip()} IS {old}\n"
        for old, new in short_names.items()
        if new.strip() != old
    ]
    for i in range(n):
        short = symbol[i].strip().upper()
        label = name[i].strip()[:4]
        label = f"{label:<4}" if len(short) == 2 or len(label) == 4 else f" {label:<3}"
        x, y, z = xyz[i]
        lines.append(
            f"{record}{(i + 1) % 100000:5d} {label} {short_names[residue_name[i].strip()]}{letters[i]}"
            f"{residue_number[i] % 10000:4d}{insertion[i].strip()[:1] or ' '}   {x:8.3f}{y:8.3f}{z:8.3f}"
            f"{1.0:6.2f}{0.0:6.2f}          {short:>2}\n"
        )
    return "".join(lines) + "END\n"


def _short_names(residue_name: Sequence[str]) -> dict[str, str]:
    """Columns 18 to 21 for each residue name; no two names get the same."""
    names = list(dict.fromkeys(text.strip() for text in residue_name))
    known = {name: f"{name:>3} " for name in names if len(name) < 4}
    for name in names:
        if name not in known:
            first = [f"{name[:3]} "] if len(name) == 4 else []
            marked = (f"~{end} " for end in (name[-2:], *map("".join, product(CODE, repeat=2))))
            known[name] = next(short for short in (*first, *marked) if short not in known.values())
    return known


def _one_letter(chain: Sequence[str]) -> list[str]:
    names = [c.strip() or "A" for c in chain]
    if all(len(c) == 1 for c in set(names)):
        return names
    known: dict[str, str] = {}
    for c in names:
        known.setdefault(c, CHAINS[len(known) % len(CHAINS)])
    return [known[c] for c in names]
