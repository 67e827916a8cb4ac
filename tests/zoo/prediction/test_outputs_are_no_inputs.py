"""An output of ``predict`` never replaces one of its inputs, nor another output."""

from __future__ import annotations

from pathlib import Path

import pytest

from affinity_zoo.plugins.errors import UsageError
from affinity_zoo.zoo.prediction.inputs import from_files, from_table


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("receptor.pdb", "poses.sdf", "more.sdf"):
        (tmp_path / name).write_text("x\n")
    (tmp_path / "table.csv").write_text("receptor,ligand\nreceptor.pdb,poses.sdf\n")
    (tmp_path / "link.sdf").symlink_to("poses.sdf")
    return tmp_path


@pytest.mark.parametrize("name", ["receptor.pdb", "poses.sdf", "more.sdf", "link.sdf", "./x/../poses.sdf"])
def test_an_input_is_not_replaced(folder: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    (folder / "x").mkdir()
    inputs = from_files("receptor.pdb", ["poses.sdf", "more.sdf"])
    for outputs in ((None, Path(name)), (Path(name), None), (folder / "a.csv", folder / name)):
        with pytest.raises(UsageError, match="is an input"):
            inputs.check_outputs(*outputs)
    inputs.check_outputs(folder / "a.csv", Path("ranked.sdf"))
    inputs.check_outputs(None, folder / "x" / "poses.sdf")  # of the same name elsewhere


def test_a_table_is_not_replaced_and_two_outputs_are_two_files(folder: Path) -> None:
    table = folder / "table.csv"
    inputs = from_table(table)
    with pytest.raises(UsageError, match="is an input"):
        inputs.check_outputs(table, None, table=table)
    with pytest.raises(UsageError, match="named for two outputs"):
        inputs.check_outputs(folder / "a.sdf", folder / "a.sdf", table=table)
    inputs.check_outputs(folder / "a.csv", folder / "a.sdf", table=table)
