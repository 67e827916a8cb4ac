"""A metric as text: value, spread over trainings, interval."""

from __future__ import annotations

import math

from affinity_zoo.zoo.judging.judge import Metric


def cell(metric: Metric | None, digits: int = 3) -> str:
    """``0.912 [0.887, 0.934]``, of several trainings ``0.912 ± 0.010 [...]``; percent with one digit; no figure: -.

    Args:
        metric: A figure with its interval; None: the row has none.
        digits: Decimal places.
    """
    if metric is None or not math.isfinite(metric.value):
        return "-" if metric is None else "undefined"
    digits = 1 if metric.unit == "%" else digits
    value = f"{metric.value:.{digits}f}"
    if "spread" in metric.details:
        value += f" ± {metric.details['spread']:.{digits}f}"
    if not math.isfinite(metric.low):
        return value
    return f"{value} [{metric.low:.{digits}f}, {metric.high:.{digits}f}]"


def coverage_text(share: float) -> str:
    """Format the fraction of pairs with a score, ``97.3 %``; never rounded up to 100 %.

    Args:
        share: Fraction of the pairs, 0 to 1.
    """
    return "100 %" if share == 1.0 else f"{min(100.0 * share, 99.9):.1f} %"
