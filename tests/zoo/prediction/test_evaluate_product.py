"""``evaluate --output product``: probability times affinity, beside each output alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from affinity_zoo.plugins.errors import UsageError
from affinity_zoo.zoo.evaluation.run import evaluate


def test_the_product_is_ranked_by(make_model: Callable[..., Path], small_data: Path, tmp_path: Path) -> None:
    model = make_model("two-outputs", ("pose", "affinity"))
    options = {"split": "all", "views": 1, "runs": tmp_path}
    each = evaluate(model, small_data, **options).predictions()
    product = evaluate(model, small_data, output="product", **options)
    found = product.predictions()
    wanted = each.extra["probability"].astype(float) * each.extra["affinity_output"].astype(float)
    assert np.asarray(found.score, float) == pytest.approx(wanted, rel=1e-5)
    assert np.asarray(found.extra["product_output"], float) == pytest.approx(wanted, rel=1e-5)
    assert product.model["name"].endswith("by product") and product.model["output"] == "product"


def test_a_model_without_an_affinity_has_no_product(
    make_model: Callable[..., Path], small_data: Path, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="product"):
        evaluate(make_model("pose-only"), small_data, output="product", split="all", runs=tmp_path)
