"""mmCIF files, by gemmi."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from affinity_zoo.zoo.data.readers.base import PoseRecord, RawAtoms, ReadError, ReadOptions, Receptor
from affinity_zoo.zoo.data.readers.elements import NUMBERS
from affinity_zoo.zoo.data.readers.identity import residue_runs
from affinity_zoo.zoo.data.readers.naming import settle_elements
from affinity_zoo.zoo.data.readers.select import pose_from_raw, receptor_of_models

#: our column -> items of ``_atom_site``, the author's before the archive's
_ITEMS: Final = {
    "name": ("auth_atom_id", "label_atom_id"),
    "residue_name": ("auth_comp_id", "label_comp_id"),
    "chain": ("auth_asym_id", "label_asym_id"),
    "residue_number": ("auth_seq_id", "label_seq_id"),
    "insertion": ("pdbx_PDB_ins_code",),
    "altloc": ("label_alt_id",),
    "symbol": ("type_symbol",),
    "occupancy": ("occupancy",),
    "charge": ("pdbx_formal_charge",),
    "group": ("group_PDB",),
    "model": ("pdbx_PDB_model_num",),
    "entity": ("label_asym_id",),
}
_NOTHING: Final = (b".", b"?", b"")


def parse_mmcif(data: bytes) -> list[RawAtoms]:
    """The models of a file, each with all alternate locations.

    gemmi's flat arrays give the columns; files that these do not hold (residue names of eight letters, no residue
    numbers) are read column by column.

    Args:
        data: the file.

    Raises:
        ReadError: it is no mmCIF file with coordinates, or a coordinate is no finite number.
    """
    import gemmi

    try:
        document = gemmi.cif.read_string(data.decode("utf-8", "replace"))
    except Exception as error:  # ValueError and RuntimeError, by the kind of damage
        raise ReadError(f"gemmi cannot read it as mmCIF ({str(error).strip()})") from error
    blocks = [b for b in document if len(b.find_values("_atom_site.Cartn_x"))]
    if not blocks:
        raise ReadError("the file has no _atom_site table: it is not an mmCIF file with coordinates")
    return [model for block in blocks for model in _models(block)]


def _models(block: Any) -> list[RawAtoms]:
    """Return the models of one data block; files may hold several blocks."""
    found: tuple[RawAtoms, NDArray[Any] | None] | None = _flat(block)
    if found is None:
        columns = {ours: _column(block, names) for ours, names in _ITEMS.items()}
        xyz = _coordinates(block)
        if not len(xyz):
            raise ReadError("its _atom_site table has no atoms")
        found = _raw(columns, xyz), columns["model"]
    raw, model = found
    if model is None:
        return [raw]
    _, first, which = np.unique(model, return_index=True, return_inverse=True)
    return [raw.take(which == k) for k in np.argsort(first)] if len(first) > 1 else [raw]


def _flat(block: Any) -> tuple[RawAtoms, NDArray[Any] | None] | None:
    """Return atoms and models from gemmi's structure; None if it does not represent the file exactly."""
    import gemmi

    try:
        structure = gemmi.make_structure_from_block(block)
        flat = gemmi.FlatStructure(structure)
    except Exception:  # errors are located and reported column by column
        return None
    n = len(flat.pos)
    if n != len(block.find_values("_atom_site.Cartn_x")) or not n or not np.isfinite(flat.pos).all():
        return None
    if (flat.resnums < -(2**30)).any():
        return None
    texts = [
        np.ascontiguousarray(t).view("S8").ravel()
        for t in (flat.atom_names, flat.residue_names, flat.chain_ids)
    ]
    name, residue, chain = (_narrow(t) for t in texts)
    code, altloc = (np.where(c == 32, 0, c).astype(np.uint8).view("S1") for c in (flat.icodes, flat.altlocs))
    column = np.where(flat.elements > 118, 1, flat.elements).astype(np.uint8)  # deuterium is a hydrogen
    xyz = np.asarray(flat.pos, np.float64).astype(np.float32)
    number = np.asarray(flat.resnums, np.int32).copy()
    element, guessed, pseudo = settle_elements(
        column, _placed(name), residue, residue_runs(chain, number, code, residue), xyz
    )
    raw = RawAtoms(
        xyz=xyz,
        element=element,
        name=name,
        residue_name=residue,
        residue_number=number,
        insertion=code,
        chain=chain,
        altloc=altloc,
        occupancy=np.asarray(flat.occ, np.float32).copy(),
        charge=np.asarray(flat.charge, np.int8).copy(),
        hetero=np.asarray(flat.het_flags) == ord("H"),
        guessed=guessed,
        pseudo=pseudo,
    )
    return raw, np.asarray(flat.model_num, np.int32).copy()


def _narrow(text: NDArray[np.bytes_]) -> NDArray[np.bytes_]:
    """Names as wide as the longest one, four letters at least."""
    wide = text.view(np.uint8).reshape(len(text), -1)
    return text.astype(f"S{max(4, int(np.flatnonzero(wide.any(0)).max(initial=0)) + 1)}")


def _placed(name: NDArray[np.bytes_]) -> NDArray[np.bytes_]:
    """Names as a PDB file would have them: nothing claims two letters by its columns here."""
    return np.where(np.char.str_len(name) < 4, np.char.add(b" ", name), name)


def _coordinates(block: Any) -> NDArray[np.float32]:
    columns = []
    for axis in "xyz":
        cells = list(block.find_values(f"_atom_site.Cartn_{axis}"))
        try:
            columns.append(np.array(cells, np.float64))
        except ValueError:
            raise ReadError("it has a coordinate that is not a number") from None
    if len({len(c) for c in columns}) != 1:
        raise ReadError("its _atom_site table lacks a coordinate column")
    xyz = np.stack(columns, 1).astype(np.float32)
    if not np.isfinite(xyz).all():
        raise ReadError("it has coordinates that are not finite numbers")
    return xyz


def _column(block: Any, names: tuple[str, ...]) -> NDArray[np.bytes_] | None:
    """Return a column as text without quotes: per row the first item with a value; None: no such item."""
    found = None
    for name in names:
        cells = list(block.find_values(f"_atom_site.{name}"))
        if not cells:
            continue
        kinds = {cell: _plain(cell) for cell in set(cells)}
        column = np.array([kinds[cell] for cell in cells])
        if found is None:
            found = column
        else:
            empty = np.isin(found, _NOTHING)
            found = np.where(empty, column, found)
        if not np.isin(found, _NOTHING).any():
            break
    return found


def _plain(cell: str) -> bytes:
    from gemmi import cif

    return (
        cif.as_string(cell).encode("utf-8", "replace")
        if cell[:1] in "'\";"
        else cell.encode("utf-8", "replace")
    )


def _raw(columns: dict[str, NDArray[np.bytes_] | None], xyz: NDArray[np.float32]) -> RawAtoms:
    n = len(xyz)

    def text(ours: str, width: int, default: bytes = b"") -> NDArray[np.bytes_]:
        column = columns[ours]
        if column is None:
            return np.full(n, default, f"S{width}")
        column = np.where(np.isin(column, _NOTHING), default, column)
        return column.astype(f"S{width}") if column.dtype.itemsize < width else column

    name, residue = text("name", 4), text("residue_name", 4)
    chain, insertion = text("chain", 4), text("insertion", 1)
    number = _numbers(columns["residue_number"], columns["entity"], n)
    symbols = text("symbol", 2)
    kinds, inverse = np.unique(symbols, return_inverse=True)
    column = np.array([NUMBERS.get(k.decode("ascii", "replace").upper(), 0) for k in kinds], np.uint8)[
        inverse
    ]
    run = residue_runs(chain, number, insertion, residue)
    element, guessed, pseudo = settle_elements(column, _placed(name), residue, run, xyz)
    return RawAtoms(
        xyz=xyz,
        element=element,
        name=name,
        residue_name=residue,
        residue_number=number,
        insertion=insertion,
        chain=chain,
        altloc=text("altloc", 1),
        occupancy=_floats(columns["occupancy"], n),
        charge=_floats(columns["charge"], n, 0.0).astype(np.int8),
        hetero=text("group", 6) == b"HETATM",
        guessed=guessed,
        pseudo=pseudo,
    )


def _numbers(
    column: NDArray[np.bytes_] | None, entity: NDArray[np.bytes_] | None, n: int
) -> NDArray[np.int32]:
    """Residue numbers; molecules without one (``.``) are counted from 1 by their place in the archive's chains."""
    if column is None:
        column = np.full(n, b".", "S1")
    kinds, inverse = np.unique(column, return_inverse=True)
    found = np.array([_integer(k) for k in kinds], np.int32)[inverse]
    missing = np.isin(column, _NOTHING)
    if missing.any() and entity is not None:
        known: dict[bytes, int] = {}
        found[missing] = [known.setdefault(e, len(known) + 1) for e in entity[missing].tolist()]
    return found


def _integer(cell: bytes) -> int:
    try:
        return int(cell)
    except ValueError:
        return 0


def _floats(column: NDArray[np.bytes_] | None, n: int, default: float = 1.0) -> NDArray[np.float32]:
    if column is None:
        return np.full(n, default, np.float32)
    text = np.where(np.isin(column, _NOTHING), str(default).encode(), column)
    try:
        return text.astype(np.float32)
    except ValueError:
        return np.full(n, default, np.float32)


def read_receptor(data: bytes, options: ReadOptions) -> Receptor:
    """The receptor of an mmCIF file: the model that the options name.

    Args:
        data: Content of the file.
        options: What is kept of waters, alternate locations and models, and how atoms are typed.
    """
    return receptor_of_models(parse_mmcif(data), options)


def read_poses(data: bytes, file: str, options: ReadOptions, first: int, last: float) -> Iterator[PoseRecord]:
    """The ligands of an mmCIF file, one a model; bonds are perceived.

    Args:
        data: Content of the file.
        file: Path of the file, for the record's name.
        options: What is kept of waters, alternate locations and models, and how atoms are typed.
        first: First record to read, from 0.
        last: Record to stop before; infinity: read to the end.
    """
    for record, raw in enumerate(parse_mmcif(data)):
        if first <= record < last:
            yield pose_from_raw(lambda r=raw: r, file, record, options)  # type: ignore[misc]


def read_models(data: bytes) -> list[RawAtoms]:
    """All atoms of each model, for files of whole complexes.

    Args:
        data: Content of the file.
    """
    return parse_mmcif(data)


def count(data: bytes) -> int:
    """Return the number of records of a file.

    Args:
        data: Content of the file.
    """
    return len(parse_mmcif(data))
