"""A prediction in parts: merged, it has the bytes of an undivided one; a part that is missing or foreign is named."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from affinity_zoo.plugins.errors import AffinityZooError, UsageError
from affinity_zoo.zoo.prediction.merge import merge
from affinity_zoo.zoo.prediction.shards import InputShard, shard_file

N = 3


@given(count=st.integers(1, 70), chunks=st.integers(0, 200))
def test_every_chunk_is_held_by_one_shard(count: int, chunks: int) -> None:
    shards = [InputShard(number, count) for number in range(1, count + 1)]
    for chunk in range(chunks):
        assert sum(shard.holds(chunk) for shard in shards) == 1
    assert all(InputShard.parse(str(shard)) == shard for shard in shards)


@pytest.mark.parametrize("text", ["0/3", "4/3", "3", "3/", "-1/3", "a/b", "1/0"])
def test_what_is_no_shard_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="K from 1 to N"):
        InputShard.parse(text)


@pytest.fixture(scope="module")
def table(receptor, block, write_sdf, tmp_path_factory) -> Path:  # type: ignore[no-untyped-def]
    """A table of poses: damaged records, equal poses, a wrong line."""
    folder = tmp_path_factory.mktemp("shards")
    write_sdf(folder / "a.sdf", block, 40, corrupt=4)
    write_sdf(folder / "b.sdf", block, 9)
    lines = ["receptor,ligand,record", f"{receptor},a.sdf,", f"{receptor},b.sdf,", f"{receptor},b.sdf,-3"]
    lines += [f"{receptor},a.sdf,7"]  # a row that comes twice gets an id of its own
    (folder / "table.csv").write_text("\n".join(lines) + "\n")
    return folder / "table.csv"


def predicted(
    model: Path, table: Path, out: Path, shard: InputShard | None = None, **options: object
) -> Path:
    """Predict a part, or all."""
    from affinity_zoo.zoo.prediction.choices import Choices
    from affinity_zoo.zoo.prediction.inputs import from_table
    from affinity_zoo.zoo.prediction.output import write_predictions
    from affinity_zoo.zoo.prediction.run import run

    choices = Choices.of(**{"views": 1, "chunk": 5, **options, "shard": shard or InputShard()})
    run(
        from_table(table), [model], choices, sdf=out.with_suffix(".sdf"), shard=shard and shard_file(out),
        write=lambda rows, columns: write_predictions(out, rows, columns),
    )  # fmt: skip
    return out


def all_parts(model: Path, table: Path, folder: Path, ending: str = "csv", **options: object) -> list[Path]:
    """Predict each part."""
    folder.mkdir(exist_ok=True)
    outs = [folder / f"part-{number}.{ending}" for number in range(1, N + 1)]
    return [
        predicted(model, table, out, InputShard(number, N), **options)
        for number, out in enumerate(outs, start=1)
    ]


@pytest.fixture(scope="module")
def parts(make_model, table, tmp_path_factory) -> list[Path]:  # type: ignore[no-untyped-def]
    """The three parts of a prediction."""
    return all_parts(make_model("pose"), table, tmp_path_factory.mktemp("parts"))


@pytest.mark.parametrize(("ending", "best_per"), [("csv", None), ("csv", "molecule"), ("parquet", None)])
def test_merged_parts_have_the_bytes_of_the_whole(ending, best_per, make_model, table, tmp_path) -> None:  # type: ignore[no-untyped-def]
    if ending != "csv":
        pytest.importorskip("pyarrow")
    model = make_model("both-1", ("pose", "affinity"), seed=1)
    options = {"best_per": best_per, "rank_by": "affinity", "batch_size": 8}
    whole = predicted(model, table, tmp_path / f"whole.{ending}", **options)
    parts = all_parts(model, table, tmp_path / "parts", ending, **options)
    merged = tmp_path / f"merged.{ending}"
    found = merge([parts[2], parts[0], parts[1]], merged, merged.with_suffix(".sdf"))
    assert merged.read_bytes() == whole.read_bytes()
    assert merged.with_suffix(".sdf").read_bytes() == whole.with_suffix(".sdf").read_bytes()
    assert (found.parts, found.poses, found.failed) == (N, 51, 5)
    assert all(part.read_bytes() for part in parts)


POSES = st.lists(
    st.tuples(
        st.sampled_from(["t", "u"]), st.sampled_from(["a", "b"]), st.sampled_from(["", "S1", "S2", "S3"]),
        st.sampled_from([0.0, 1.0, 2.0]), st.booleans(),
    ),
    max_size=25,
)  # fmt: skip


@given(poses=POSES, count=st.integers(1, 4), chunk=st.integers(1, 4), by=st.sampled_from(["pose", "rmsd"]))
def test_molecules_are_grouped_as_in_the_whole(poses, count, chunk, by, tmp_path_factory) -> None:  # type: ignore[no-untyped-def]
    """Names with several skeletons, and records without atoms (no skeleton, no score), dealt out to parts."""
    from affinity_zoo.zoo.prediction.output import write_predictions
    from affinity_zoo.zoo.prediction.ranking import ranked
    from affinity_zoo.zoo.prediction.rows import RANKINGS, PosePrediction
    from affinity_zoo.zoo.prediction.shards import Header, placed_rows, write_shard

    column = RANKINGS[by].field
    rows = [
        PosePrediction(
            id=str(i), target=target, molecule=name, skeleton=skeleton,
            status="ok" if skeleton and ok else "failed", **({column: value} if skeleton and ok else {}),
        )
        for i, (target, name, skeleton, value, ok) in enumerate(poses)
    ]  # fmt: skip
    columns = ("rank", "id", "target", "molecule", column, "poses", "status", "skeleton")
    folder = tmp_path_factory.mktemp("groups")
    write_predictions(folder / "whole.csv", [row for _, row in ranked(rows, by, "molecule")], columns)
    outs = []
    for number in range(1, count + 1):
        shard = InputShard(number, count)
        mine = [i for i in range(len(rows)) if shard.holds(i // chunk)]
        part = [rows[i] for i in mine]
        placed = placed_rows(
            part, [(i // chunk, i % chunk) for i in mine], ranked(part, by, "molecule", part=True), {}, by
        )
        header = Header(shard, "m", "i", "o", by, "molecule", None, columns, len(placed), len(part), 0)
        outs.append(folder / f"{number}.csv")
        write_shard(shard_file(outs[-1]), header, placed)
    merge(outs, folder / "merged.csv")
    assert (folder / "merged.csv").read_text() == (folder / "whole.csv").read_text()


def test_by_the_command_line(make_model, receptor, block, write_sdf, tmp_path, cli) -> None:  # type: ignore[no-untyped-def]
    """Also more parts than there is work."""
    poses = write_sdf(tmp_path / "poses.sdf", block, 6)
    command = ["predict", make_model("pose"), receptor, poses, "--views", 1, "--chunk", 4]
    assert cli(*command, "-o", tmp_path / "whole.csv").code == 0
    outs = [tmp_path / f"{k}.csv" for k in (1, 2, 3)]
    for k, out in enumerate(outs, start=1):
        done = cli(*command, "-o", out, "--shard", f"{k}/3")
        assert done.code == 0, done.err
    done = cli("merge", *outs, "-o", tmp_path / "merged.csv")
    assert done.code == 0 and "3 parts, 6 poses in, 6 rows out, 0 without" in done.out
    assert (tmp_path / "merged.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()
    assert outs[2].read_text().count("\n") == 1, "the third part has no pose"
    assert cli(*command, "-o", "-", "--shard", "1/3").code == 2
    assert cli(*command, "-o", outs[0], "--shard", "4/3").code == 2
    done = cli("merge", *outs, "-o", tmp_path / "merged.csv", "--sdf", tmp_path / "merged.sdf")
    assert done.code == 2 and "1/3" in done.err and "without an SDF file" in done.err


def test_a_part_that_is_missing_doubled_or_no_part_is_named(parts, tmp_path) -> None:  # type: ignore[no-untyped-def]
    out = tmp_path / "merged.csv"
    with pytest.raises(AffinityZooError, match=r"missing: 2/3"):
        merge([parts[0], parts[2]], out)
    copy = tmp_path / "copy.csv"
    shutil.copy(parts[1], copy)
    shutil.copy(shard_file(parts[1]), shard_file(copy))
    with pytest.raises(AffinityZooError, match=r"part 2/3 \(.*copy\.csv\) is given twice: .*part-2\.csv"):
        merge([*parts, copy], out)
    (tmp_path / "other.csv").write_text("id\n")
    with pytest.raises(AffinityZooError, match=r"other\.csv is not a part of a divided prediction"):
        merge([*parts, tmp_path / "other.csv"], out)
    with pytest.raises(UsageError, match="empty"):
        merge([], out)
    assert not out.exists()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"model": "another"}, "other models"),
        ({"table": "another"}, "other inputs"),
        ({"views": 2}, "other options"),
        ({"best_per": "molecule"}, "other options"),
    ],
)
def test_a_part_of_another_prediction_is_named(  # type: ignore[no-untyped-def]
    change, words, parts, make_model, table, tmp_path
) -> None:
    options = dict(change)
    model = make_model("pose-2", seed=5) if options.pop("model", "") else make_model("pose")
    if options.pop("table", ""):
        table = shutil.copy(table, table.with_name("again.csv"))
        table.write_text(table.read_text() + table.read_text().splitlines()[1] + "\n")
    foreign = predicted(model, table, tmp_path / "foreign.csv", InputShard(2, N), **options)
    with pytest.raises(AffinityZooError, match=rf"part 2/3 \(.*foreign\.csv\) was predicted with {words}"):
        merge([parts[0], foreign, parts[2]], tmp_path / "merged.csv")


def test_a_damaged_part_is_named(parts, tmp_path) -> None:  # type: ignore[no-untyped-def]
    copies = [Path(shutil.copy(part, tmp_path)) for part in parts]
    for part, copy in zip(parts, copies, strict=True):
        shutil.copy(shard_file(part), shard_file(copy))
    damaged = shard_file(copies[1])
    lines = damaged.read_text().splitlines(keepends=True)
    for text, words in (
        ("".join(lines[:-1]), "rows, not"),
        ("".join([*lines[:3], "nonsense\n", *lines[3:]]), "line 4"),
        ("nonsense\n", "cannot be read"),
        (json.dumps({**json.loads(lines[0]), "format": 99}) + "\n", "another format"),
    ):
        damaged.write_text(text)
        with pytest.raises(AffinityZooError, match=rf"part-2\.csv\.shard.*{words}"):
            merge(copies, tmp_path / "merged.csv")
    damaged.write_text("".join(lines))
    assert merge(copies, tmp_path / "merged.csv").rows == 51
    sdf = parts[1].with_suffix(".sdf")
    before = sdf.read_bytes()
    try:
        sdf.write_bytes(before + b"more")
        with pytest.raises(AffinityZooError, match="was changed after part 2/3"):
            merge(copies, tmp_path / "nothing.csv", tmp_path / "merged.sdf")
        assert not (tmp_path / "nothing.csv").exists()
    finally:
        sdf.write_bytes(before)
