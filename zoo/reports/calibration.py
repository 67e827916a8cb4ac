"""The page of a calibration: how reliable it is on proteins that the fit did not see."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from affinity_zoo.zoo.reports.page import document, now
from affinity_zoo.zoo.reports.reliability_plots import reliability_plot
from affinity_zoo.zoo.runtime.files import whole


def write_calibration_page(path: Path, name: str, method: str, about: Mapping[str, Any]) -> Path:
    """Write the page.

    Args:
        path: the HTML file.
        name: of the model.
        method: how it was fitted.
        about: description of the calibration, with its reliability on unseen groups.
    """
    found = about["reliability"]
    lines = (
        f"{method}, fitted to {about['truth']} on {about['rows']:,} poses of {about['groups']:,} groups of "
        f"{about['benchmark']}; overlap with the training set: {about['overlap']}.",
        f"In cross-validation over groups: calibration error {found['calibration_error']:.3f}, Brier score "
        f"{found['brier']:.3f}; {100 * about['near_native']:.1f} % of the poses are near-native.",
        "The calibration is valid for poses made in the same way, with the same share of near-native poses.",
    )
    words = "".join(f"<p>{escape(line)}</p>" for line in lines)
    plot = reliability_plot(found, "Reliability on unseen groups")
    body = f"<p class='soft'>{now()}</p>{words}<div class='plots'>{plot}</div>"
    with whole(path) as file:
        file.write(document(f"Calibration of {name}", body, script=""))
    return path
