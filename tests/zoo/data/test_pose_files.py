"""Paths of a prediction are judged before any work is done."""

from __future__ import annotations

from pathlib import Path

import pytest

from affinity_zoo.plugins.errors import AffinityZooError, UsageError
from affinity_zoo.zoo.data.readers.records import pose_files, receptor_file
from affinity_zoo.zoo.runtime.files import check_output, whole


def test_folders_are_expanded_by_name_and_files_keep_their_order(tmp_path: Path) -> None:
    for name in ("b.sdf", "a.pdb.gz", "notes.txt", "c.mol2"):
        (tmp_path / name).touch()
    single = tmp_path / "b.sdf"
    assert [p.name for p in pose_files([single, tmp_path])] == ["b.sdf", "a.pdb.gz", "b.sdf", "c.mol2"]


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(AffinityZooError, match=r"no pose files in it or its subfolders .*\.sdf"):
        pose_files([tmp_path])
    with pytest.raises(AffinityZooError, match=r"gone\.sdf: no such file or folder"):
        pose_files([tmp_path / "gone.sdf"])
    with pytest.raises(AffinityZooError, match="no poses given"):
        pose_files([])
    with pytest.raises(AffinityZooError, match="give `receptor`"):
        receptor_file(tmp_path)


def test_output_that_cannot_be_written_is_refused_first(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert check_output(tmp_path / "new" / "ranked.csv").name == "ranked.csv"
    with pytest.raises(UsageError, match="is a folder"):
        check_output(tmp_path)
    with pytest.raises(UsageError, match="is a file"):
        check_output(tmp_path / "file" / "ranked.csv")


def test_a_failing_writer_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "ranked.csv"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), whole(path) as file:
        file.write("new")
        raise ZeroDivisionError
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]
