"""``predict``: rows, ensembles, rankings, tables, pipes, bad records; with toy models on real structures."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import affinity_zoo
from affinity_zoo.plugins.errors import UsageError
from affinity_zoo.zoo.prediction import predict

SCORE = "pose_logit"
AFFINITY = "affinity_pk"


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_thousand_poses_with_fifty_bad_ones(make_model, receptor, block, write_sdf, tmp_path, cli) -> None:  # type: ignore[no-untyped-def]
    """One row in, one row out: 1,000 rows, 50 of them with a reason, exit code 3."""
    poses = write_sdf(tmp_path / "poses.sdf", block, 1000, corrupt=50)
    out = tmp_path / "ranked.csv"
    code, _, err = cli(
        "predict", make_model("pose"), "-r", receptor, "-l", poses, "-o", out, "--views", 1, "--top", 5
    )
    assert code == 3, err
    rows = _rows(out)
    assert len(rows) == 1000 and {int(row["record"]) for row in rows} == set(range(1000))
    failed = [row for row in rows if row["status"] == "failed"]
    assert len(failed) == 50 and all(row["reason"] and not row[SCORE] for row in failed)
    assert len({row["reason"] for row in failed}) > 1
    good = rows[:950]
    assert [int(row["rank"]) for row in good] == list(range(1, 951))
    scores = [float(row[SCORE]) for row in good]
    assert scores == sorted(scores, reverse=True) and len(set(scores)) > 20
    assert all(row["docking_score"] for row in good)
    assert "50 without a score" in err + _ and "more: no score" in err
    assert not (tmp_path / "ranked.csv.parts").exists()


def test_an_ensemble_is_the_mean_of_its_models(make_model, receptor, block, write_sdf, tmp_path) -> None:  # type: ignore[no-untyped-def]
    """gnina's rule: mean of the probabilities, mean and population variance of the affinities."""
    poses = write_sdf(tmp_path / "poses.sdf", block, 5)
    folders = [
        make_model("both-1", ("pose", "affinity"), seed=1),
        make_model("both-2", ("pose", "affinity"), "atom-types", seed=2),
        make_model("pose"),
    ]
    single = [{row.record: row for row in predict(folder, receptor, poses, views=3)} for folder in folders]
    joint = predict(folders, receptor, poses, views=3)
    assert len(joint) == 5
    for row in joint:
        each = [rows[row.record] for rows in single]
        probabilities = [one.pose_probability for one in each]
        affinities = [one.affinity_pk for one in each[:2]]
        assert row.pose_probability == pytest.approx(np.mean(probabilities), abs=1e-9)
        odds = row.pose_probability / (1 - row.pose_probability)
        assert row.pose_logit == pytest.approx(np.log(odds), abs=1e-6)
        assert row.affinity_pk == pytest.approx(np.mean(affinities), abs=1e-9)
        assert row.product == pytest.approx(row.pose_probability * row.affinity_pk, abs=1e-9)
        # the variance over all answers: that of the models' means, and the mean of the models' own
        within = np.mean([one.affinity_sd**2 for one in each[:2]])
        assert row.affinity_sd**2 == pytest.approx(np.var(affinities) + within, abs=1e-9)
        logits = [one.pose_logit for one in each]  # all with the same correction
        within = np.mean([one.pose_logit_sd**2 for one in each])
        assert row.pose_logit_sd**2 == pytest.approx(np.var(logits) + within, abs=1e-9)
    assert [row.rank for row in joint] == [1, 2, 3, 4, 5]


def test_rankings_and_what_no_model_gives(make_model, receptor, block, write_sdf, tmp_path) -> None:  # type: ignore[no-untyped-def]
    poses = write_sdf(tmp_path / "poses.sdf", block, 8)
    both = make_model("both-1", ("pose", "affinity"), seed=1)
    for rank_by, field in (("pose", "pose_logit"), ("affinity", "affinity_pk"), ("product", "product")):
        values = [getattr(row, field) for row in predict(both, receptor, poses, views=1, rank_by=rank_by)]
        assert values == sorted(values, reverse=True)
    only = make_model("affinity", ("affinity",))
    rows = predict(only, receptor, poses, views=1)
    assert np.isnan(rows[0].pose_logit) and rows[0].affinity_pk >= rows[-1].affinity_pk and rows[0].rank == 1
    assert np.isnan(rows[0].affinity_sd), "one view has no spread"
    for rank_by, model in (("pose", only), ("product", only), ("affinity", make_model("pose"))):
        with pytest.raises(UsageError, match=f"`rank_by='{rank_by}'` needs a model with"):
            predict(model, receptor, poses, rank_by=rank_by)


def test_the_best_pose_of_each_molecule(make_model, receptor, block, write_sdf, tmp_path) -> None:  # type: ignore[no-untyped-def]
    """The molecule is the record's name; the number of poses counts those that failed too."""
    poses = write_sdf(tmp_path / "poses.sdf", block, 20, corrupt=2)
    model = make_model("pose")
    every = predict(model, receptor, poses, views=1)
    best = predict(model, receptor, poses, views=1, best_per="molecule")
    names = {row.molecule for row in every}
    assert len(best) == len(names) and {row.molecule for row in best} == names
    for row in best:
        same = [one for one in every if one.molecule == row.molecule]
        assert row.poses == len(same)
        if row.status == "ok":
            assert row.pose_logit == max(one.pose_logit for one in same if one.status == "ok")
    assert [row.rank for row in best if row.rank] == list(range(1, 1 + sum(row.rank > 0 for row in best)))


def test_a_table_with_receptors_records_and_formats(  # type: ignore[no-untyped-def]
    make_model, small_set, receptor, block, write_sdf, tmp_path, cli
) -> None:
    """Paths are relative to the table; a line, a file, a record and a receptor that are bad are rows with a reason."""
    other = next(path for path in (small_set / "receptors").iterdir() if path != receptor)
    shutil.copy(receptor, tmp_path / "one.pdb")
    shutil.copy(other, tmp_path / "two.pdb")
    (tmp_path / "junk.pdb").write_text("junk\n")
    write_sdf(tmp_path / "poses.sdf", block, 6)
    (tmp_path / "packed.sdf.gz").write_bytes(gzip.compress((tmp_path / "poses.sdf").read_bytes()))
    pose = next((small_set / "crystal_ligands" / other.stem).iterdir())
    shutil.copy(pose, tmp_path / "pose.pdb")
    atoms = next(affinity_zoo_poses(tmp_path / "pose.pdb")).atoms
    typed = np.zeros(len(atoms), np.dtype([("xyz", "<f4", 3), ("type", "<i4")]))
    typed["xyz"], typed["type"] = atoms.xyz, atoms.atom_type
    (tmp_path / "pose.gninatypes").write_bytes(typed.tobytes())
    lines = [
        "id,receptor,ligand,record,molecule,target,vina_score",
        "a,one.pdb,poses.sdf,4,m1,t1,-3.5",
        "b,one.pdb,poses.sdf,0,m1,t1,-3.5",
        "c,one.pdb,poses.sdf,99,m2,t1,-3.5",
        "d,two.pdb,pose.pdb,,m3,t2,-3.5",
        "e,two.pdb,pose.gninatypes,,m3,t2,-3.5",
        "f,two.pdb,gone.sdf,,m4,t2,-3.5",
        "g,junk.pdb,poses.sdf,1,m5,t3,-3.5",
        "h,one.pdb,packed.sdf.gz,5,m6,t1,-3.5",
        "i,one.pdb,poses.sdf,-2,m7,t1,-3.5",
        "k,one.pdb,poses.sdf,,,t1,",
    ]
    (tmp_path / "table.csv").write_text("\n".join(lines) + "\n")
    out = tmp_path / "out" / "ranked.csv"
    code, _, err = cli(
        "predict", "--model", make_model("types", featurizer="atom-types"), "-t", tmp_path / "table.csv", "-o", out,
        "--views", 1,
    )  # fmt: skip
    assert code == 3, err
    rows = {row["id"]: row for row in _rows(out)}
    assert len(_rows(out)) == 9 + 6 and set(rows) == set("abcdefgh") | {f"k#{i}" for i in range(6)} | {""}
    assert "no record 99" in rows["c"]["reason"] and "does not exist" in rows["f"]["reason"]
    assert "junk.pdb" in rows["g"]["reason"] and "line 10" in rows[""]["reason"]
    assert (
        rows["a"][SCORE] == rows["k#4"][SCORE]
        and rows["a"]["molecule"] == "m1"
        and rows["a"]["target"] == "t1"
    )
    assert rows["h"]["file"] == "packed.sdf.gz" and rows["h"]["status"] == "ok"
    assert float(rows["d"][SCORE]) == pytest.approx(float(rows["e"][SCORE]), abs=1e-5)
    alone = predict(
        make_model("types", featurizer="atom-types"), tmp_path / "one.pdb", tmp_path / "poses.sdf", views=1
    )
    same = next(row for row in alone if row.record == 5)
    assert float(rows["h"][SCORE]) == pytest.approx(same.pose_logit, abs=1e-5)


def test_ids_of_a_table_come_back_unchanged(make_model, receptor, block, write_sdf, tmp_path, cli) -> None:  # type: ignore[no-untyped-def]
    """Of a file with one record, whatever its format; several records under one id are numbered."""
    write_sdf(tmp_path / "one.sdf", block, 1)
    (tmp_path / "two.sdf.gz").write_bytes(gzip.compress((tmp_path / "one.sdf").read_bytes()))
    write_sdf(tmp_path / "many.sdf", block, 3)
    lines = ["id,receptor,ligand", "1ABC/x #7,{r},one.sdf", "b,{r},two.sdf.gz", "c,{r},many.sdf"]
    (tmp_path / "table.csv").write_text("\n".join(lines).format(r=receptor) + "\n")
    out = tmp_path / "out.csv"
    done = cli("predict", make_model("pose"), "-t", tmp_path / "table.csv", "-o", out, "--views", 1)
    assert done.code == 0, done.err
    assert sorted(row["id"] for row in _rows(out)) == ["1ABC/x #7", "b", "c#0", "c#1", "c#2"]
    (row,) = predict(make_model("pose"), receptor, tmp_path / "one.sdf", views=1)
    assert row.id == "one"


def affinity_zoo_poses(path: Path):  # type: ignore[no-untyped-def]
    from affinity_zoo.zoo.data.readers import read_poses

    return read_poses(path)


def test_pipes(make_model, receptor, block, write_sdf, tmp_path) -> None:  # type: ignore[no-untyped-def]
    """SDF comes in on standard input, CSV goes out on standard output, and nothing else does."""
    poses = write_sdf(tmp_path / "poses.sdf", block, 4, corrupt=1)
    command = [
        sys.executable,
        "-m",
        "affinity_zoo.cli",
        "predict",
        "-m",
        str(make_model("pose")),
        "--views",
        "1",
    ]
    done = subprocess.run(
        [*command, "-r", str(receptor), "-l", "-", "-o", "-"],
        input=poses.read_bytes(), capture_output=True, cwd=tmp_path, env={**os.environ, "CUDA_VISIBLE_DEVICES": ""},
    )  # fmt: skip
    assert done.returncode == 3, done.stderr.decode()
    rows = list(csv.DictReader(io.StringIO(done.stdout.decode())))
    assert len(rows) == 4 and [row["status"] for row in rows] == ["ok", "ok", "ok", "failed"]
    assert "4 poses in" in done.stderr.decode() and {path.name for path in tmp_path.iterdir()} == {
        "poses.sdf"
    }


def test_a_table_on_standard_input(
    make_model, receptor, block, write_sdf, tmp_path, cli, monkeypatch
) -> None:  # type: ignore[no-untyped-def]
    write_sdf(tmp_path / "poses.sdf", block, 3)
    monkeypatch.chdir(tmp_path)

    class Standard:
        buffer = io.BytesIO(f"receptor,ligand\n{receptor},poses.sdf\n".encode())

    monkeypatch.setattr(sys, "stdin", Standard())
    code, out, err = cli("predict", make_model("pose"), "-t", "-", "--views", 1, "--json", "-o", "r.csv")
    assert code == 0, err
    assert len(json.loads(out)) == 3 and len(_rows(tmp_path / "r.csv")) == 3


def test_poses_come_out_as_sdf_with_their_scores(  # type: ignore[no-untyped-def]
    make_model, receptor, block, write_sdf, small_set, tmp_path, cli
) -> None:
    """Ranked, with the file's own properties; scored again, nothing is there twice."""
    from rdkit import Chem

    poses = write_sdf(tmp_path / "poses.sdf", block, 6, corrupt=1)
    pdb = next((small_set / "crystal_ligands" / receptor.stem).iterdir())
    model = make_model("both-1", ("pose", "affinity"), seed=1)
    for source, target in ((poses, "first.sdf"), (tmp_path / "first.sdf", "second.sdf")):
        extra = ("-l", pdb) if source == poses else ()
        code, _, err = cli(
            "predict", model, "-r", receptor, "-l", source, *extra, "-o", tmp_path / "r.csv",
            "--sdf", tmp_path / target, "--views", 1,
        )  # fmt: skip
        assert code == (3 if source == poses else 0), err
        found = list(Chem.SDMolSupplier(str(tmp_path / target), sanitize=False))
        assert len(found) == 6 and None not in found
        scores = [float(mol.GetProp("affinity_zoo_pose_logit")) for mol in found]
        assert scores == sorted(scores, reverse=True)
        assert [mol.GetIntProp("affinity_zoo_rank") for mol in found] == [1, 2, 3, 4, 5, 6]
        assert sum(mol.HasProp("minimizedAffinity") for mol in found) == 5
        rows = {row["rank"]: row for row in _rows(tmp_path / "r.csv")}
        for mol in found:
            row = rows[mol.GetProp("affinity_zoo_rank")]
            assert float(row[AFFINITY]) == pytest.approx(
                float(mol.GetProp("affinity_zoo_affinity_pk")), rel=1e-5
            )
        assert (tmp_path / target).read_text().count("<affinity_zoo_pose_logit>") == 6


def test_what_is_asked_for_wrongly_is_a_sentence(make_model, receptor, tmp_path, cli) -> None:  # type: ignore[no-untyped-def]
    model = make_model("pose")
    cases: tuple[tuple[tuple[object, ...], str], ...] = (
        ((model,), "no receptor given"),
        ((model, "-r", receptor, "-l", receptor, "-t", "x.csv"), "either a table or receptor and poses"),
        ((model, "-r", receptor, "-l", receptor, "-o", "-", "--json"), "both write to standard output"),
        ((model, "-r", receptor, "-l", receptor, "-o", "-", "--resume"), "--resume needs a file"),
        ((model, "-r", receptor, "-l", receptor, "--best-per", "target"), "--best-per is molecule"),
        ((model, "-r", receptor, "-l", receptor, "--rank-by", "luck"), "--rank-by is one of pose"),
        (("-r", receptor, "-l", receptor), "no model"),
        ((model, "-t", tmp_path / "gone.csv"), "no such file"),
    )
    for arguments, sentence in cases:
        code, _, err = cli("predict", *arguments)
        assert code in (1, 2) and sentence in err.replace("\n", " ") and "Traceback" not in err, (
            arguments,
            err,
        )


def test_files_that_change_are_read_again(make_model, small_set, receptor, block, tmp_path) -> None:  # type: ignore[no-untyped-def]
    """In one process: another receptor or model under the same name; a loaded model stays what it is."""
    other = next(path for path in (small_set / "receptors").iterdir() if path != receptor)
    (tmp_path / "poses.sdf").write_text(block + "$$$$\n")
    found = []
    for source in (receptor, other):
        shutil.copyfile(source, tmp_path / "r.pdb")
        found.append(
            predict(make_model("pose"), tmp_path / "r.pdb", tmp_path / "poses.sdf", views=1)[0].pose_logit
        )
    assert found[0] != found[1]
    folder, answers = tmp_path / "model", []
    shutil.copytree(make_model("pose"), folder)
    loaded = affinity_zoo.load_model(folder)
    for model in (folder, make_model("both-1", ("pose", "affinity"), seed=1)):
        if model != folder:
            shutil.rmtree(folder)
            shutil.copytree(model, folder)
            answers.append(predict(loaded, receptor, tmp_path / "poses.sdf", views=1)[0].pose_logit)
        answers.append(predict(folder, receptor, tmp_path / "poses.sdf", views=1)[0].pose_logit)
    assert answers[0] == answers[1] != answers[2]
