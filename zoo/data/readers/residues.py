"""Residue names by role: waters, ions, cofactors, crystallisation additives, pseudo-atoms (see ``docs/formats.md``)."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

#: waters of the PDB and of the usual force fields and programs
WATERS: Final = frozenset(
    b"""
    HOH WAT DOD H2O OH2 HHO OHO DIS SOL W WTR
    TIP TIP2 TIP3 TIP4 TIP5 TIP3P TIP4P TIP5P TIPS TP3 TP4 TP5 T3P T4P T5P T3H T4E T4X TP3M
    SPC SPCE SPE SPF SPCF OPC OPC3 OP3 OP4 SWM SWM4 SWM6 SW4 SW6 BEM
    """.split()
)

#: one-atom residues -> atomic number: PDB, CHARMM, Amber and GROMACS names, without signs and digits of charge
IONS: Final[dict[str, int]] = {
    "LI": 3, "LIT": 3, "LIN": 3, "F": 9, "FL": 9, "NA": 11, "SOD": 11, "NAP": 11, "NIO": 11, "MG": 12, "MGH": 12,
    "AL": 13, "CL": 17, "CLA": 17, "CIO": 17, "CIM": 17, "CLJ": 17, "K": 19, "POT": 19, "KN": 19, "CA": 20, "CAL": 20,
    "SC": 21, "TI": 22, "V": 23, "VN": 23, "CR": 24, "MN": 25, "MNH": 25, "FE": 26, "CO": 27, "NI": 28, "CU": 29,
    "CUA": 29, "ZN": 30, "ZNA": 30, "GA": 31, "AS": 33, "BR": 35, "BRO": 35, "RB": 37, "RUB": 37, "SR": 38, "Y": 39,
    "YT": 39, "ZR": 40, "RU": 44, "RHF": 45, "RH": 45, "PD": 46, "AG": 47, "CD": 48, "CAD": 48, "IN": 49, "SB": 51,
    "I": 53, "IOD": 53, "IO": 53, "CS": 55, "CES": 55, "BA": 56, "BAR": 56, "LA": 57, "CE": 58, "PR": 59, "ND": 60,
    "SM": 62, "EU": 63, "GD": 64, "TB": 65, "DY": 66, "HO": 67, "ER": 68, "TM": 69, "YB": 70, "LU": 71, "HF": 72,
    "RE": 75, "OS": 76, "IR": 77, "PT": 78, "AU": 79, "HG": 80, "TL": 81, "PB": 82, "BI": 83,
    "TH": 90, "IUM": 92,
}  # fmt: skip

#: buffers, cryoprotectants, detergents and glycans that crystals carry without meaning: never taken for the ligand
ADDITIVES: Final = frozenset(
    b"""
    GOL EDO PEG PGE PG4 P6G 1PE 2PE PE4 PE8 12P 15P PGO PDO MPD MRD DMS DMSO SO4 SUL PO4 PI 2HP NO3 CO3 BCT ACT ACY
    FMT CIT FLC TLA TAR MLI MLA MAL MES EPE TRS BTB BME DTT DTU DTV IMD IPA IOH EOH MOH DIO DOX BOG LDA BNG C8E DDM LMT
    LMU SDS NAG NDG BMA MAN FUC FUL GAL GLC SIA BEZ POP PPI AZI SCN CAC B3P CAPS CXS HEZ HEX NH4 ACN CCN URE GAI NHE
    UNX DUM OXY PER OLA OLC PLM MYR STE
    """.split()
)

#: cofactors: taken for the ligand only where there is no other candidate
COFACTORS: Final = frozenset(
    b"""
    HEM HEC HEA HEB HAS HDD HEME FAD FMN RBF NAD NAI NAP NDP NAJ NAX COA ACO CAA MCA SAM SAH PLP PMP TPP TDP TPW BTN
    B12 CNC COB CBY F3S SF4 FES CLF CFM MTE PQQ H4B BH4 THF FOL CLA CHL BCL BPH BPB PHO PEB UQ1 UQ2 PQ9 MQ7 RET LYC BCR
    ATP ADP AMP GTP GDP GMP GNP GSP ANP ACP AGS UTP UDP UMP CTP CDP TTP GSH MGD PNS LPA
    """.split()
)

#: lipids, which show that a structure is a membrane simulation's frame or a membrane model
LIPIDS: Final = frozenset(
    b"POPC POPE POPG POPS DPPC DOPC DMPC DLPC DSPC DOPE DPPE DPPG CHL1 CLR CHOL".split()
)

#: residues of pseudo-atoms: points of a membrane (OPM), dummy atoms
DUMMIES: Final = frozenset((b"DUM", b"DMY", b"MEM"))
#: atom names of lone pairs and virtual sites of force fields, in residues that have no such real atom
VIRTUAL_SITES: Final = frozenset(b"LP LP1 LP2 LP3 LPA LPB EP EP1 EP2 EPW MW".split())


def are(names: NDArray[np.bytes_], listed: frozenset[bytes]) -> NDArray[np.bool_]:
    """(N,) which names (any case) are among those listed.

    Args:
        names: (N,) residue names.
        listed: Names to find.
    """
    if not len(names) or (names == names[0]).all():
        return np.full(len(names), bool(len(names)) and bytes(names[0]).upper() in listed, bool)
    start = np.flatnonzero(np.r_[True, names[1:] != names[:-1]])  # names come in runs
    here = np.array([name.upper() in listed for name in names[start].tolist()], bool)
    found: NDArray[np.bool_] = np.repeat(here, np.diff(np.r_[start, len(names)]))
    return found


def ion(residue: str, atom: str) -> int:
    """Atomic number of an ion by the name of its residue, which must agree with that of its atom; else 0.

    Args:
        residue: as in the file: ``CLA``, ``Na+``, ``ZN2``.
        atom: as in the file.
    """
    name, own = _letters(residue), _letters(atom)
    number = IONS.get(residue.strip().upper(), 0) or IONS.get(name, 0)
    if not number:
        return 0
    from affinity_zoo.zoo.data.readers.elements import SYMBOLS

    symbol = SYMBOLS[number].upper()
    return number if own in (name, residue.strip().upper()) or own == symbol or IONS.get(own) == number else 0


def _letters(text: str) -> str:
    return text.strip().upper().strip("+-0123456789() '\"*")
