"""The table of plots, and the HTML of those that a board has data for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from affinity_zoo.zoo.reports import ranking_plots, reliability_plots, training_plots
from affinity_zoo.zoo.reports.drawn import DrawnBoard

About = Literal["scores", "training"]


@dataclass(frozen=True)
class Plot:
    """One kind of plot."""

    draw: Callable[[DrawnBoard], list[str]]  #: its HTML figures; empty where the board has no data for it
    about: About = "scores"  #: pages of benchmarks show both, pages of models what is about their scores


#: Every plot of a report, in the order of the page.
PLOTS = (
    Plot(ranking_plots.roc),
    Plot(ranking_plots.precision_recall),
    Plot(ranking_plots.enrichment),
    Plot(ranking_plots.success),
    Plot(ranking_plots.risk),
    Plot(ranking_plots.affinity),
    Plot(reliability_plots.calibration),
    Plot(training_plots.losses, about="training"),
)


def plots(drawn: DrawnBoard, about: About) -> str:
    """Draw the plots of one kind, as HTML; empty where the board has data for none of them.

    Args:
        drawn: Board and its drawn rows.
        about: Kind of the plots.
    """
    figures = [figure for plot in PLOTS if plot.about == about for figure in plot.draw(drawn)]
    return f"<div class='plots'>{''.join(figures)}</div>" if figures else ""
