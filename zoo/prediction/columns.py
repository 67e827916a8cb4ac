"""The columns of a prediction: name, unit, direction and meaning, the same in every output format."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from affinity_zoo.zoo.inference.columns import COLUMNS as SCORES
from affinity_zoo.zoo.inference.columns import PRODUCT
from affinity_zoo.zoo.prediction import similarity
from affinity_zoo.zoo.validity import columns as validity

if TYPE_CHECKING:
    from affinity_zoo.zoo.prediction.reading import ComplexPose


@dataclass(frozen=True)
class PredictionColumn:
    """One column.

    Args:
        name: in CSV, Parquet, JSON and data frames; an SDF property has the prefix ``affinity_zoo_``.
        unit: of its numbers; empty: none.
        better: ``higher`` or ``lower``; empty where neither is.
        meaning: one sentence.
        when: when the column is there; empty: always.
        kind: ``int``, ``float`` or ``str`` of a column that is no field of
            :class:`~affinity_zoo.zoo.prediction.rows.PosePrediction`; empty: it is one.
        value: computes the column from a pose that could be read; None: it is filled elsewhere, and a column with a
            kind is there on request alone.
    """

    name: str
    unit: str
    better: str
    meaning: str
    when: str = ""
    kind: str = ""
    value: Callable[[ComplexPose], Any] | None = None


_POSE = "the model has a pose output"
_ACTIVITY = "the model has an activity output"
_AFFINITY = "the model has an affinity output"
_RMSD = "the model has an rmsd output"
_SEVERAL = ", and there are several views or models"
_CONSENSUS = "a consensus is asked for"
_SIMILARITY = "similarity is asked for"
_VALIDITY = "validity is asked for"
_POSEBUSTERS = "validity is asked for, and PoseBusters is installed"

#: in the order of the output; a new column is one entry with its kind and value
COLUMNS: Final[tuple[PredictionColumn, ...]] = (
    PredictionColumn("rank", "", "lower", "Place in the ranking, from 1; 0 for a row without a score."),
    PredictionColumn("id", "", "", "The table's id, else the file's name and the number of the record."),
    PredictionColumn("molecule", "", "", "The table's molecule, else the record's name, else the file's name."),
    PredictionColumn("target", "", "", "The table's target, else the name of the receptor's file."),
    PredictionColumn("name", "", "", "The record's own name (the title of an SDF record)."),
    PredictionColumn(
        "pose_logit", "logit", "higher",
        "Logit of a near-native pose; for several models the logit of their mean probability.", _POSE,
    ),
    PredictionColumn(
        "pose_probability", "probability", "higher",
        "Probability of a near-native pose at the prevalence of the training data.", _POSE,
    ),
    PredictionColumn(
        "pose_logit_sd", "logit", "lower",
        "Standard deviation of the pose logit over all views and models.", _POSE + _SEVERAL,
    ),
    PredictionColumn(
        "near_native_probability", "probability", "higher",
        "Calibrated probability of an RMSD below 2 Å.", "the model is calibrated (affinity-zoo calibrate)",
    ),
    PredictionColumn(
        "activity_logit", "logit", "higher",
        "Logit of an active molecule; for several models the logit of their mean probability.", _ACTIVITY,
    ),
    PredictionColumn(
        "activity_probability", "probability", "higher",
        "Probability of an active molecule at the prevalence of the training data.", _ACTIVITY,
    ),
    PredictionColumn(
        "activity_logit_sd", "logit", "lower",
        "Standard deviation of the activity logit over all views and models.", _ACTIVITY + _SEVERAL,
    ),
    PredictionColumn("rmsd_expected", "Å", "lower", "Expected RMSD from the native pose.", _RMSD),
    PredictionColumn(
        "rmsd_sd", "Å", "lower", "Standard deviation of the expected RMSD over all views and models.", _RMSD + _SEVERAL
    ),
    PredictionColumn("affinity_pk", "pK", "higher", "Binding affinity, -log10 of Kd, Ki or IC50 in mol/L.", _AFFINITY),
    PredictionColumn(
        "affinity_sd", "pK", "lower",
        "Standard deviation of the affinity over all views and models; with one view its square is gnina's "
        "CNNvariance.", _AFFINITY + _SEVERAL,
    ),
    PredictionColumn(
        "product", "", "higher", "Probability times affinity, gnina's CNN_VS.",
        "the model has an affinity and a pose or activity output",
    ),
    PredictionColumn("docking_score", "", "lower", "Docking score in the pose file, else in the table."),
    PredictionColumn("poses", "", "", "Number of poses of the molecule.", "one row per molecule is requested"),
    PredictionColumn("status", "", "", "ok, failed, or abstained (risk of a wrong pose too high)."),
    PredictionColumn("reason", "", "", "Reason why a row failed or was not ranked."),
    PredictionColumn("warnings", "", "", "Warnings separated by semicolons; each begins with its kind."),
    PredictionColumn("file", "", "", "The pose file as given."),
    PredictionColumn("record", "", "", "Number of the record in the file, from 0."),
    PredictionColumn("receptor", "", "", "The receptor's file."),
    PredictionColumn("skeleton", "", "", "Hash of elements and bonds without bond orders; equal for equal molecules."),
    PredictionColumn(
        "consensus_z", "", "higher", "Mean z-score of the combined scores, among the poses of the molecule by default.",
        _CONSENSUS, "float",
    ),
    PredictionColumn(
        "consensus_rank", "", "higher",
        "Mean rank of the combined scores, from 0 (last) to 1 (first), among the same poses.", _CONSENSUS, "float",
    ),
    PredictionColumn(
        similarity.LIGAND, "", "", "Tanimoto similarity to the most similar training ligand, 0 to 1; empty if the "
        "model folder has no training ligands.", _SIMILARITY, "float",
    ),
    PredictionColumn(
        similarity.PROTEIN, "", "", "Largest sequence identity of a chain near the pose to a training chain, 0 to 1; "
        "0: no alignment beyond chance.", _SIMILARITY, "float",
    ),
    PredictionColumn(
        validity.POSE_VALID, "", "higher", "1 if the pose passes all checks below, 0 if it fails one; empty if it "
        "could not be checked.", _VALIDITY, "int",
    ),
    *(
        PredictionColumn(
            name, "", "higher", meaning, _VALIDITY if name in validity.columns_of("rdkit") else _POSEBUSTERS, "int"
        )
        for name, meaning in validity.CHECKS.items()
    ),
    PredictionColumn(
        validity.METHOD, "", "", "Method of the checks: PoseBusters with its version, or rdkit.", _VALIDITY, "str"
    ),
    PredictionColumn(
        validity.REASON, "", "", "The checks that failed, or why the pose could not be checked.", _VALIDITY, "str"
    ),
)  # fmt: skip
NAMES: Final = tuple(column.name for column in COLUMNS)


def values_of(pose: ComplexPose) -> dict[str, Any]:
    """The columns that are computed from a pose; None in all of them for a pose that could not be read.

    Args:
        pose: The pose as read.
    """
    computed = {column.name: column.value for column in COLUMNS if column.value is not None}
    return {name: None if pose.atoms is None else value(pose) for name, value in computed.items()}


def columns_of(
    outputs: Iterable[Iterable[str]],
    n_views: int,
    best_per: str | None = None,
    calibrated: bool = False,
    extras: Iterable[str] = (),
) -> tuple[str, ...]:
    """The columns that models can fill.

    Args:
        outputs: names of the outputs of each model.
        n_views: views that a pose is scored in.
        best_per: what the best pose is taken of; None: every pose is a row.
        calibrated: whether the model has a calibration.
        extras: names of the columns on request.

    Returns:
        Names, in the order of :data:`COLUMNS`.
    """
    models = [set(names) for names in outputs]
    left_out = {column.name for column in COLUMNS if column.kind and column.value is None} - set(extras)
    if not best_per:
        left_out.add("poses")
    if not calibrated:
        left_out.add("near_native_probability")
    for name, columns in SCORES.items():
        answers = n_views * sum(name in model for model in models)
        if answers < 1:
            left_out |= {columns.value, columns.probability}
        if answers < 2:
            left_out.add(columns.spread)
    given = set().union(*models)
    if "affinity" not in given or not given & {"pose", "activity"}:
        left_out.add(PRODUCT)
    return tuple(name for name in NAMES if name not in left_out)
