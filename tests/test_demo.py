"""The demonstration, whole: what it writes, what it prints, and that it can be given again."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.mark.slow
def test_the_demonstration_runs_and_can_be_given_again(  # type: ignore[no-untyped-def]
    tmp_path: Path, cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "160")  # no cell of the table is broken in two
    folder = tmp_path / "demo"
    for number in (1, 2):
        code, out, err = cli("demo", "-o", folder, "--epochs", 1)
        assert code == 0, err
        for part in (
            "element-tag",
            "cnn4",
            "atom-types",
            "resnet3d",
            "(random)",
            "fine-tuned here",
            "comes with the package",
            "board.html",
            "explain.html",
        ):
            assert part in out
        assert (folder / "summaries" / f"{2 * number}_netstate" / "model" / "model.keras").is_file()
        assert (folder / "data" / "database_index.csv").is_file()


def test_a_folder_with_something_else_is_left_alone(tmp_path: Path, cli) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "mine.txt").write_text("mine")
    code, _, err = cli("demo", "-o", tmp_path)
    assert code == 1 and "give another folder" in err
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]
