"""Conformance of a scorer, and of a baseline."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from affinity_zoo.plugins.checks import SHARED, Skip, fingerprint, require
from affinity_zoo.plugins.contracts import Baseline, Predictions, Score, Scorer, Truth
from affinity_zoo.plugins.samples import moved, rows_of, sample_atoms, sample_predictions, with_score

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class ScorerUnderTest:
    """A scorer under test."""

    instance: Scorer
    kind: str = "scorer"

    @property
    def cls(self) -> type[Scorer]:
        """Class of the instance under test."""
        return type(self.instance)

    @cached_property
    def base(self) -> Predictions:
        """Made-up predictions: few rows, or many where the scorer refuses so few."""
        columns = self.cls.columns
        few = sample_predictions(columns=columns)
        values = [self.instance.score(few, truth).value for truth in self.cls.truths]
        return few if all(map(math.isfinite, values)) else sample_predictions(poses=1200, columns=columns)

    def value(
        self, predictions: Predictions, truth: Truth, weights: NDArray[np.float64] | None = None
    ) -> float:
        """Return the value, checked to be a Score.

        Args:
            predictions: Predictions of N rows.
            truth: Column of true values.
            weights: (N,) multiplicities of the rows; None: once each.
        """
        found = self.instance.score(predictions, truth, weights)
        require(isinstance(found, Score), f"score returned {type(found).__name__}, not Score")
        return float(found.value)


def unit_is_stated(subject: Any) -> None:
    """Unit and direction are given, for the column of a table."""
    require(
        isinstance(subject.cls.unit, str) and subject.cls.unit.strip(),
        "unit is empty: for example 'fraction'",
    )


def score_is_complete(subject: ScorerUnderTest) -> None:
    """It works with each truth it names; value is a float, details are JSON-ready, note is a text."""
    for truth in subject.cls.truths:
        found = subject.instance.score(subject.base, truth)
        require(isinstance(found, Score), f"score returned {type(found).__name__}, not Score")
        require(isinstance(found.value, float), f"value is {type(found.value).__name__}, not float")
        require(math.isfinite(found.value), f"value is {found.value} on a normal set ({truth}): {found.note}")
        require(isinstance(found.note, str), "note is not a text")
        try:
            json.dumps(dict(found.details))
        except TypeError as error:
            raise AssertionError(f"details are not JSON-ready: {error}") from error


def direction_is_right(subject: ScorerUnderTest) -> None:
    """A ranking by the truth is not worse than its reverse, in the stated direction."""
    if subject.cls.direction == "none":
        raise Skip("it states no direction")
    import numpy as np

    sign = 1.0 if subject.cls.direction == "higher" else -1.0
    for truth in subject.cls.truths:
        base = subject.base
        follows = getattr(base, truth) * (-1.0 if truth == "rmsd" else 1.0)
        noise = np.linspace(0, 1e-6, len(base))
        good = subject.value(with_score(base, follows + noise), truth)
        bad = subject.value(with_score(base, -follows - noise), truth)
        require(sign * good >= sign * bad, f"by {truth}: best ranking {good:.4g}, worst {bad:.4g}")


def order_of_rows_is_nothing(subject: ScorerUnderTest) -> None:
    """The result does not depend on the order of the rows, ties and a constant score included."""
    import numpy as np

    for truth in subject.cls.truths:
        base = subject.base
        for name, predictions in (
            ("ties", base),
            ("a constant score", with_score(base, np.zeros(len(base)))),
        ):
            value = subject.value(predictions, truth)
            for seed in range(3):
                mixed = rows_of(predictions, np.random.default_rng(seed).permutation(len(predictions)))
                _equal(value, subject.value(mixed, truth), f"{name} in another order, by {truth}")
            ordered = rows_of(predictions, np.argsort(getattr(predictions, truth)))
            _equal(value, subject.value(ordered, truth), f"{name} sorted by {truth}")


def weights_count_rows(subject: ScorerUnderTest) -> None:
    """Weights of 1 change nothing; weights of 0 remove rows."""
    import numpy as np

    for truth in subject.cls.truths:
        base = subject.base
        value = subject.value(base, truth)
        _equal(value, subject.value(base, truth, np.ones(len(base))), f"weights of 1, by {truth}")
        out = base.group == base.group[0]
        rest = subject.value(rows_of(base, np.flatnonzero(~out)), truth)
        weighted = subject.value(base, truth, (~out).astype(np.float64))
        _equal(rest, weighted, f"a group of weight 0 and without it, by {truth}")


def resampling_agrees(subject: ScorerUnderTest) -> None:
    """The fast ``resample``, if present, agrees with ``score`` with weights."""
    resample = getattr(subject.instance, "resample", None)
    if resample is None:
        raise Skip("it has no resample")
    import numpy as np

    base = subject.base
    _, group = np.unique(base.group, return_inverse=True)
    counts = np.random.default_rng(0).multinomial(6, [1 / 6] * 6, size=5).astype(np.int32)
    for truth in subject.cls.truths:
        quick = resample(base, truth, group.astype(np.int64), counts)
        if quick is None:
            continue
        for drawn, value in zip(counts, quick, strict=True):
            slow = subject.value(base, truth, drawn[group].astype(np.float64))
            _equal(slow, float(value), f"resample and score with weights, by {truth}")


def undefined_is_said(subject: ScorerUnderTest) -> None:
    """An undefined value (one row, one class) is NaN with a note, never an exception."""
    import numpy as np

    for truth in subject.cls.truths:
        base = subject.base
        one_class = rows_of(base, np.flatnonzero(base.pose_label == 1))
        for name, predictions in (("one row", rows_of(base, np.array([0]))), ("one class", one_class)):
            found = subject.instance.score(predictions, truth)
            require(isinstance(found, Score), f"{name}: score returned {type(found).__name__}")
            require(math.isfinite(found.value) or found.note, f"{name}, by {truth}: NaN without a note")


def input_is_left_alone(subject: ScorerUnderTest) -> None:
    """The input predictions are not changed."""
    base = subject.base
    columns = [base.id, base.score, base.group, base.pose_label, base.active, base.affinity, base.rmsd]
    before = fingerprint(columns)
    for truth in subject.cls.truths:
        subject.instance.score(base, truth)
    require(before == fingerprint(columns), "the predictions were changed")


SCORER_CHECKS: tuple[Callable[[Any], None], ...] = (
    *SHARED,
    unit_is_stated,
    score_is_complete,
    direction_is_right,
    order_of_rows_is_nothing,
    weights_count_rows,
    resampling_agrees,
    undefined_is_said,
    input_is_left_alone,
)


@dataclass(frozen=True, eq=False)
class BaselineUnderTest:
    """A baseline under test."""

    instance: Baseline
    kind: str = "baseline"

    @property
    def cls(self) -> type[Baseline]:
        """Class of the instance under test."""
        return type(self.instance)

    def value(self, turned: bool = False, receptor_atoms: int = 90) -> float:
        """Measure a synthetic pair, in place or moved as a whole.

        Args:
            turned: Rotate and shift the complex first.
            receptor_atoms: Number of receptor atoms.
        """
        import numpy as np

        from affinity_zoo.plugins.imaging import rotation_matrix

        receptor, ligand = sample_atoms("receptor", receptor_atoms, radius=9.0), sample_atoms("ligand", 20)
        if turned:
            shift = np.array([3.0, 20.0, -7.0])
            receptor, ligand = (moved(atoms, rotation_matrix(), shift) for atoms in (receptor, ligand))
        pair = {"id": "pair-1", "docking_score": -7.5, "pose_label": 1.0, "active": 1.0, "affinity": 6.5}
        return self.instance.measure(receptor, ligand, {**pair, "rmsd": 0.7, "molecule": "a", "target": "t"})


def number_is_given(subject: BaselineUnderTest) -> None:
    """It returns one finite float for a normal pair."""
    value = subject.value()
    require(isinstance(value, float), f"measure returned {type(value).__name__}, not float")
    if math.isnan(value):
        raise Skip("it is NaN for a synthetic pair with these options")
    require(math.isfinite(value), f"it is {value}")


def number_is_repeatable(subject: BaselineUnderTest) -> None:
    """The number of a pair does not depend on the position of the complex."""
    here, away = subject.value(), subject.value(turned=True)
    _equal(here, subject.value(), "twice")
    close = math.isclose(here, away, rel_tol=1e-3, abs_tol=1e-3)
    require(close or (math.isnan(here) and math.isnan(away)), f"moved: {here:.6g} and {away:.6g}")


def no_receptor_is_no_accident(subject: BaselineUnderTest) -> None:
    """A pair without receptor atoms yields a number or NaN."""
    require(isinstance(subject.value(receptor_atoms=0), float), "it is not a float")


BASELINE_CHECKS: tuple[Callable[[Any], None], ...] = (
    *SHARED,
    unit_is_stated,
    number_is_given,
    number_is_repeatable,
    no_receptor_is_no_accident,
)


def _equal(a: float, b: float, what: str) -> None:
    both_nan = math.isnan(a) and math.isnan(b)
    require(both_nan or math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9), f"{what}: {a:.6g} and {b:.6g}")
