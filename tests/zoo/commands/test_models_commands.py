"""``models list`` and ``models show``: what is at hand and to be had, wildcards, cards."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from affinity_zoo.zoo import shipped
from affinity_zoo.zoo.models.ensembles import write_ensemble
from affinity_zoo.zoo.models.recipe import Recipe

CARD = {
    "name": "made",
    "headline": "loses against Vina",
    "outputs": [{"name": "pose", "unit": "logit", "direction": "higher is better"}],
    "trained_on": {"name": "made data", "n_train": 12},
    "cite": "nobody",
    "seeds": [{"seed": 1, "epoch": 3, "metric": "roc-auc", "validation": 0.9, "chosen": True}],
    "results": [
        {
            "benchmark": "bench",
            "pairs": 10,
            "overlap": "none",
            "metrics": {"roc-auc": {"value": 0.8, "low": 0.7, "high": 0.9}},
            "others": [
                {"name": "contacts", "metrics": {"roc-auc": {"value": 0.85, "low": 0.8, "high": 0.9}}}
            ],
            "verdicts": ["roc-auc: contacts is better"],
        }
    ],
}


def made(folder: Path, **changes: object) -> Path:
    """A model directory without weights: cards and lists need none."""
    folder.mkdir(parents=True)
    (folder / "model.keras").touch()
    (folder / "card.json").write_text(json.dumps({**CARD, **changes}))
    Recipe().write(folder / "recipe.toml")
    return folder


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(shipped, "FOLDER", tmp_path / "shipped")
    made(tmp_path / "shipped" / "pose-made")
    made(tmp_path / "models" / "gnina-dense", about="at hand")
    made(tmp_path / "models" / "pair" / "a", cite=["nobody", "somebody"])
    made(tmp_path / "models" / "pair" / "b")
    write_ensemble(tmp_path / "models" / "pair", "pair", ["a", "b"], about="two of a kind")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "models"


def test_list_with_wildcards(models: Path, cli) -> None:  # type: ignore[no-untyped-def]
    rows = {row["name"]: row for row in json.loads(cli("models", "list", "--json").out)}
    assert rows["pose-made"]["where"] == "shipped"
    assert rows["gnina-dense"] == {
        "name": "gnina-dense", "where": "in models", "outputs": "pose", "about": "at hand",
    }  # fmt: skip
    assert rows["gnina-default"]["where"] == "to download"
    assert rows["pair"]["about"] == "two of a kind"
    some = json.loads(cli("models", "list", "gnina-*-ensemble", "--json").out)
    assert len(some) == 13 and all(row["outputs"] == "pose, affinity" for row in some)
    assert "no model is called 'x*'" in cli("models", "list", "x*").out


@pytest.mark.parametrize("name", ["pose-made", "gnina-dense", "models/gnina-dense"])
def test_a_card_begins_with_where_the_model_loses(models: Path, cli, name: str) -> None:  # type: ignore[no-untyped-def]
    shown = cli("models", "show", name)
    assert shown.code == 0 and shown.out.startswith("loses against Vina\nmade\n")
    for part in ("gives: pose (logit, higher is better)", "n train 12", "cite: nobody", "contacts is better"):
        assert part in shown.out
    assert "0.800 [0.700, 0.900]" in shown.out and "chosen" in shown.out


def test_further_benchmarks_are_a_line_each(models: Path, cli) -> None:  # type: ignore[no-untyped-def]
    (first,) = CARD["results"]  # type: ignore[misc]
    verdicts = ["roc-auc: x loses against contacts, -0.1", "roc-auc: x is not told apart from burial, 0"]
    second = {**first, "benchmark": "second", "verdicts": verdicts}
    made(models / "two", results=[first, second])
    shown = cli("models", "show", "two").out
    line = "second: roc-auc 0.800 [0.700, 0.900]; loses against contacts; not told apart from burial"
    assert line in shown and shown.count("this model") == 1
    assert cli("models", "show", "two", "--full").out.count("this model") == 2


def test_cards_of_ensembles_and_of_what_is_not_here(models: Path, cli) -> None:  # type: ignore[no-untyped-def]
    card = json.loads(cli("models", "show", "pair", "--json").out)
    assert card["about"] == "two of a kind" and card["cite"] == ["nobody", "somebody"]
    assert [member["folder"] for member in card["members"]] == ["a", "b"]
    card = json.loads(cli("models", "show", "default2017", "--json").out)
    assert "models get gnina-default2017" in card["where"] and "PDBbind" in card["trained_on"]
    wrong = cli("models", "show", "gnina-dens")
    assert wrong.code == 1 and "did you mean 'gnina-dense'" in wrong.err


def test_a_damaged_card_does_not_hide_the_others(models: Path, cli) -> None:  # type: ignore[no-untyped-def]
    (models / "gnina-dense" / "card.json").write_text("[]")
    rows = {row["name"]: row for row in json.loads(cli("models", "list", "--json").out)}
    assert rows["gnina-dense"]["about"].startswith("cannot be used") and "pair" in rows
