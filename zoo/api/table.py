"""A table of scores: rows to iterate over, a data frame, RDKit molecules, files, and HTML for a notebook."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from affinity_zoo.zoo.data.readers.in_memory import is_rdkit
from affinity_zoo.zoo.prediction import output, ranking
from affinity_zoo.zoo.prediction.columns import COLUMNS
from affinity_zoo.zoo.prediction.reading import ComplexPose
from affinity_zoo.zoo.prediction.rows import PosePrediction
from affinity_zoo.zoo.prediction.structures import structure_text

if TYPE_CHECKING:
    import pandas

SHOWN: Final = 20  #: rows of the HTML
#: columns that a notebook leaves out: they are long, or the same in all rows
_NOT_SHOWN: Final = frozenset(("target", "name", "file", "record", "receptor", "docking_score", "reason"))


@dataclass(frozen=True, eq=False)
class Scores:
    """Scores of poses, one row per pose in the order of the input.

    Attributes:
        rows: one :class:`~affinity_zoo.zoo.prediction.rows.PosePrediction` a pose.
        columns: names of the columns that the model fills (``docs/columns.md``).
        ranked_by: column that determines the ranks.
    """

    rows: list[PosePrediction]
    columns: tuple[str, ...]
    ranked_by: str
    _sources: list[Any] = field(
        default_factory=list, repr=False
    )  #: (molecule, conformer) or ComplexPose of each row

    @classmethod
    def ranked(
        cls,
        rows: Sequence[PosePrediction],
        columns: tuple[str, ...],
        ranked_by: str,
        sources: Sequence[Any],
    ) -> Scores:
        """Make a table of rows, with their ranks.

        Args:
            rows: one per pose.
            columns: to show.
            ranked_by: a key of :data:`affinity_zoo.zoo.prediction.rows.RANKINGS`.
            sources: of each row its pose, or the RDKit molecule and number of the conformer that it came from.
        """
        given = list(rows)
        for i, row in ranking.ranked(rows, ranked_by):
            given[i] = replace(given[i], rank=row.rank)
        return cls(given, columns, ranked_by, list(sources))

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.rows)

    def __iter__(self) -> Iterator[PosePrediction]:
        """Yield the rows in the order of the input."""
        return iter(self.rows)

    def __getitem__(self, index: int) -> PosePrediction:
        """Return a row by its position in the input."""
        return self.rows[index]

    @property
    def best(self) -> PosePrediction | None:
        """Return the row of rank 1; None if no row has a score."""
        return next((row for row in self.rows if row.rank == 1), None)

    def sorted(self) -> Scores:
        """Return the rows, best first; rows without a score last."""
        order = sorted(range(len(self)), key=lambda i: (self.rows[i].rank or math.inf, i))
        return replace(self, rows=[self.rows[i] for i in order], _sources=[self._sources[i] for i in order])

    def as_dicts(self) -> list[dict[str, object]]:
        """Return the rows as dicts; missing numbers are None."""
        return output.as_dicts(self.rows, self.columns)

    def to_pandas(self) -> pandas.DataFrame:
        """Return the rows as a data frame; missing numbers are NaN. Needs pandas."""
        import pandas

        columns = {name: [row.value(name) for row in self.rows] for name in self.columns}
        return pandas.DataFrame(columns)

    def to_arrow(self) -> Any:
        """Return the rows as a ``pyarrow.Table``. Needs pyarrow."""
        return output.arrow_table(self.rows, self.columns)

    def to_rdkit(self) -> list[Any]:
        """The poses as RDKit molecules, in the order of the rows, with the scores as properties.

        Returns:
            A molecule with one conformer for each row; None for one that could not be read. Poses that came without
            bonds have single bonds by distance.
        """
        return [self._molecule(i) for i in range(len(self))]

    def write(self, path: str | Path) -> Path:
        """Write the rows: Parquet or Arrow by the ending, SDF with the poses, else CSV.

        Args:
            path: the file.

        Returns:
            The path.
        """
        file = Path(path)
        if file.suffix.lower() in (".sdf", ".sd"):
            from rdkit import Chem

            with Chem.SDWriter(str(file)) as writer:
                writer.SetKekulize(False)
                for molecule in self.to_rdkit():
                    if molecule is not None:
                        writer.write(molecule)
        else:
            output.write_predictions(file, self.rows, self.columns)
        return file

    def _molecule(self, i: int) -> Any:
        source, row = self._sources[i], self.rows[i]
        molecule = _of_pose(source) if isinstance(source, ComplexPose) else _of_conformer(*source)
        if molecule is None:
            return None
        for name, value in row.as_dict().items():
            if name in self.columns and value not in (None, ""):
                setter = {int: molecule.SetIntProp, float: molecule.SetDoubleProp}.get(type(value))
                if setter is None:
                    molecule.SetProp(f"affinity_zoo_{name}", str(value))
                else:
                    setter(f"affinity_zoo_{name}", value)
        return molecule

    def __repr__(self) -> str:
        failed = sum(row.status != "ok" for row in self.rows)
        return f"<scores of {len(self)} poses, {failed} without a score, ranked by {self.ranked_by}>"

    def _repr_html_(self) -> str:
        """Return HTML of the best rows, for a notebook."""
        names = [
            name
            for name in self.columns
            if name not in _NOT_SHOWN and any(_cell(row.value(name)) for row in self.rows)
        ]
        titles = {column.name: f"{column.meaning} {column.better}".strip() for column in COLUMNS}
        units = {column.name: column.unit for column in COLUMNS if column.unit not in ("", "probability")}
        head = "".join(
            f'<th title="{escape(titles[name])}">{name}'
            + (f"<br><small>{escape(units[name])}</small>" if name in units else "")
            + "</th>"
            for name in names
        )
        body = "".join(
            "<tr>" + "".join(f"<td>{escape(_cell(row.value(name)))}</td>" for name in names) + "</tr>"
            for row in self.sorted().rows[:SHOWN]
        )
        more = f", the best {SHOWN} shown" if len(self) > SHOWN else ""
        caption = escape(repr(self)[1:-1] + more)
        return (
            f"<table><caption>{caption}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        )


def sources_of(items: Sequence[Any], poses: Sequence[Sequence[ComplexPose]]) -> list[Any]:
    """Return the source of the molecule of each row.

    Args:
        items: what a caller gave.
        poses: of each item.

    Returns:
        A molecule and the number of its conformer for a row that came from RDKit, else a pose.
    """
    sources: list[Any] = []
    for item, found in zip(items, poses, strict=True):
        if is_rdkit(item) and item.GetNumConformers() == len(found):
            sources += [(item, conformer.GetId()) for conformer in item.GetConformers()]
        else:
            sources += found
    return sources


def conformer_of(source: Any) -> Any:
    """The RDKit molecule of a row, with one conformer; None for a row that did not come from RDKit.

    Args:
        source: of :func:`sources_of`.
    """
    return None if isinstance(source, ComplexPose) else _of_conformer(*source)


def _of_conformer(molecule: Any, conformer: int) -> Any:
    """A copy of a molecule with one of its conformers."""
    from rdkit import Chem

    return Chem.Mol(molecule, confId=conformer)


def _of_pose(pose: ComplexPose) -> Any:
    """A pose as a molecule; None for one without atoms."""
    from rdkit import Chem

    text = structure_text(pose)
    if not text:
        return None
    block = text.decode("utf-8", "replace").partition("M  END")[0] + "M  END\n"
    return Chem.MolFromMolBlock(block, removeHs=False) or Chem.MolFromMolBlock(
        block, removeHs=False, sanitize=False
    )


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.4g}"
    return str(value)
