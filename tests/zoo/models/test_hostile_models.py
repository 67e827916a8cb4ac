"""Model folders from strangers: each is refused with one sentence before anything is built, or loads as it should."""

from __future__ import annotations

import io
import json
import os
import shutil
import tomllib
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import tomli_w

from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.models.loading import load_model

Change = Callable[[Path], None]


def card(**changes: Any) -> Change:
    """Change fields of the card; ``None`` in the place of a field's value removes it."""

    def change(folder: Path) -> None:
        table = json.loads((folder / "card.json").read_text())
        table.update(changes)
        (folder / "card.json").write_text(json.dumps({k: v for k, v in table.items() if v != "REMOVED"}))

    return change


def text(name: str, value: str | bytes) -> Change:
    """Replace a file."""
    return lambda folder: (
        (folder / name).write_bytes(value if isinstance(value, bytes) else value.encode()) and None
    )


def recipe(table: str, **changes: Any) -> Change:
    """Change fields of a table of the recipe."""

    def change(folder: Path) -> None:
        tables = tomllib.loads((folder / "recipe.toml").read_text())
        tables.setdefault(table, {}).update(changes)
        (folder / "recipe.toml").write_text(tomli_w.dumps(tables))

    return change


def members(**changes: Any) -> Change:
    """Rewrite members of ``model.keras``: bytes, or a function of the old bytes."""

    def change(folder: Path) -> None:
        path = folder / "model.keras"
        with zipfile.ZipFile(path) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
        for name, value in changes.items():
            key = {"config": "config.json", "weights": "model.weights.h5"}.get(name, name)
            parts[key] = value(parts[key]) if callable(value) else value
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in parts.items():
                archive.writestr(name, data)

    return change


def config(**changes: Any) -> Change:
    """Change the configuration of the first layer that has each of the fields."""

    def change(old: bytes) -> bytes:
        tree = json.loads(old)
        layers = tree["config"]["network"]["config"]["layers"]
        layer = next(
            one for one in layers if set(changes) <= {*one["config"], *one} and "filters" in one["config"]
        )
        for key, value in changes.items():
            (layer if key in layer else layer["config"])[key] = value
        return json.dumps(tree).encode()

    return members(config=change)


def weights(change: Callable[[h5py.File], None]) -> Change:
    """Change the weights file."""

    def rewrite(old: bytes) -> bytes:
        buffer = io.BytesIO(old)
        with h5py.File(buffer, "r+") as file:
            change(file)
        return buffer.getvalue()

    return members(weights=rewrite)


def raw_archive(change: Callable[[zipfile.ZipFile], None]) -> Change:
    """Write ``model.keras`` anew."""

    def write(folder: Path) -> None:
        with zipfile.ZipFile(folder / "model.keras", "w", zipfile.ZIP_DEFLATED) as archive:
            change(archive)

    return write


def _first_dataset(group: Any) -> tuple[Any, str]:
    for name, part in group.items():
        if isinstance(part, h5py.Dataset):
            return group, name
        found = _first_dataset(part)
        if found[1]:
            return found
    return group, ""


def _replaced(make: Callable[[Any, str], None]) -> Change:
    def change(file: h5py.File) -> None:
        group, name = _first_dataset(file)
        del group[name]
        make(group, name)

    return weights(change)


def _cycle(file: h5py.File) -> None:
    group = file.create_group("deep")
    group["again"] = file["/"]


def _named_zip(name: bytes) -> Change:
    def change(folder: Path) -> None:
        path = folder / "model.keras"
        data = path.read_bytes().replace(b"metadata.json", name)
        path.write_bytes(data)

    return change


def _deep(levels: int) -> str:
    return "[" * levels + "]" * levels


def _function(module: str, name: str, registered: str | None = None) -> dict[str, Any]:
    return {"module": module, "class_name": "function", "config": name, "registered_name": registered or name}


def _object(module: str, name: str, **config_: Any) -> dict[str, Any]:
    return {"module": module, "class_name": name, "config": config_, "registered_name": None}


def _archive_of(name: str, size: int) -> Change:
    return raw_archive(lambda archive: archive.writestr(name, bytes(size)))


OUTPUT = {"name": "pose", "unit": "logit", "direction": "higher is better"}
CARDS: dict[str, Change] = {
    "no card": lambda folder: (folder / "card.json").unlink(),
    "card is no JSON": text("card.json", "hello"),
    "card is empty": text("card.json", ""),
    "card is a list": text("card.json", "[]"),
    "card is a number": text("card.json", "3"),
    "card is no text": text("card.json", b"\xff\xfe\x00"),
    "card is deep": text("card.json", '{"outputs": ' + _deep(100_000) + "}"),
    "card is deep and unclosed": text("card.json", "[" * 500_000),
    "card of quotes": text("card.json", '"\\"' * 300_000),
    "card is huge": text("card.json", '{"name": "' + "x" * (9 << 20) + '"}'),
    "card is a pipe": lambda folder: ((folder / "card.json").unlink(), os.mkfifo(folder / "card.json"))[1],
    "card is a folder": lambda folder: ((folder / "card.json").unlink(), (folder / "card.json").mkdir())[1],
    "card is a device": lambda folder: (
        (folder / "card.json").unlink(),
        (folder / "card.json").symlink_to("/dev/zero"),
    )[1],
    "no outputs": card(outputs="REMOVED"),
    "outputs are empty": card(outputs=[]),
    "outputs are null": card(outputs=None),
    "outputs are text": card(outputs="pose"),
    "outputs are numbers": card(outputs=[1, 2]),
    "too many outputs": card(outputs=[OUTPUT] * 1000),
    "an output twice": card(outputs=[OUTPUT, OUTPUT]),
    "an output of another name": card(outputs=[{**OUTPUT, "name": "toxicity"}]),
    "an output without unit": card(outputs=[{"name": "pose"}]),
    "name is a number": card(name=7),
    "name is very long": card(name="x" * 100_000),
    "another format": card(format=99),
    "correction is text": card(logit_correction="much"),
    "correction is huge": card(logit_correction=1e308),
    "correction is not a number": text(
        "card.json", json.dumps({"name": "x", "outputs": [OUTPUT], "logit_correction": float("nan")})
    ),
    "threshold is a list": card(threshold=[1]),
    "epoch is text": card(epoch="last"),
    "views are none": card(views=0),
    "views are many": card(views=10**9),
    "views are text": card(views="all"),
}
RECIPES: dict[str, Change] = {
    "no recipe": lambda folder: (folder / "recipe.toml").unlink(),
    "recipe is no TOML": text("recipe.toml", "= = ="),
    "recipe is no text": text("recipe.toml", b"\xff\x00"),
    "recipe is deep": text("recipe.toml", "x = " + _deep(50_000)),
    "recipe has a long key": text("recipe.toml", "a." * 60_000 + "b = 1"),
    "recipe has a long heading": text("recipe.toml", "[" + "a." * 60_000 + "b]"),
    "recipe has a long quoted key": text("recipe.toml", '"a".' * 30_000 + "b = 1"),
    "recipe has a long key within": text("recipe.toml", "x = {" + "a." * 60_000 + "b = 1}"),
    "recipe is huge": text("recipe.toml", "#" * (1 << 20)),
    "another table": recipe("surprise", x=1),
    "another field": recipe("box", width=3),
    "box is text": recipe("box", side="24"),
    "box of 100,000 voxels": recipe("box", side=100_000),
    "box of 10^18 voxels": recipe("box", side=10**18),
    "box of no voxels": recipe("box", side=0),
    "negative box": recipe("box", side=-3),
    "spacing is nothing": recipe("box", spacing=0.0),
    "spacing is not a number": recipe("box", spacing=float("nan")),
    "an unknown featurizer": recipe("featurizer", name="no-such-one"),
    "an unknown architecture": recipe("architecture", name="no-such-one", distribution="nobody", version="1"),
    "an unknown option": recipe("featurizer", options={"surprise": 1}),
    "options are deep": recipe("architecture", options={"blocks": [[[[[]]]]]}),
    "sources are numbers": recipe("training", sources=[1]),
}
ARCHIVES: dict[str, Change] = {
    "no network": lambda folder: (folder / "model.keras").write_bytes(b"") and None,
    "not an archive": text("model.keras", "hello"),
    "cut off": lambda folder: (
        (folder / "model.keras").write_bytes((folder / "model.keras").read_bytes()[:500]) and None
    ),
    "bomb as configuration": _archive_of("config.json", 200 << 20),
    "bomb as weights": _archive_of("model.weights.h5", 200 << 20),
    "many members": raw_archive(
        lambda archive: [archive.writestr(f"x{i}", b"") for i in range(20_000)] and None
    ),
    "path outside": members(**{"../x.py": b"x"}),
    "code beside": members(**{"layer.py": b"x"}),
    "NUL in a name": _named_zip(b"metadat\x00.json"),
    "configuration is no JSON": members(config=b"hello"),
    "configuration is null": members(config=b"null"),
    "configuration is deep": members(config=b'{"class_name": ' + _deep(200_000).encode() + b"}"),
    "configuration of another model": members(
        config=b'{"class_name": "Sequential", "module": "keras", "config": {}}'
    ),
    "a pickle beside": text("extra.pkl", b"x"),
}
NETWORKS: dict[str, Change] = {
    "lambda": config(class_name="Lambda"),
    "PyTorch module": config(class_name="TorchModuleWrapper"),
    "JAX layer": config(class_name="JaxLayer"),
    "saved model layer": config(class_name="TFSMLayer"),
    "random augmentation": config(class_name="RandomContrast"),
    "text layer": config(class_name="TextVectorization"),
    "class of os": config(module="os", class_name="system"),
    "class of keras.utils": config(module="keras.utils", class_name="get_file"),
    "class is a number": config(class_name=3),
    "class is a list": config(class_name=["Conv3D"]),
    "backend switch by name": config(activation="set_backend"),
    "dotted activation": config(activation="keras.config.set_backend"),
    "backend switch as function": config(activation=_function("keras.config", "set_backend")),
    "builtin as function": config(activation=_function("builtins", "eval")),
    "function of os": config(activation=_function("os", "system")),
    "activation that writes": config(activation=_function("keras.utils", "get_file")),
    "initialiser of numpy": config(kernel_initializer=_object("numpy", "load")),
    "regulariser of keras.saving": config(kernel_regularizer=_object("keras.saving", "load_model")),
    "10^12 filters": config(filters=10**12),
    "filters that fill memory": config(filters=10**7),
    "negative filters": config(filters=-1),
    "filters are text": config(filters="many"),
    "huge kernel": config(kernel_size=[10**6, 10**6, 10**6]),
    "no strides": config(strides=[0, 0, 0]),
}
WEIGHTS: dict[str, Change] = {
    "weights are no HDF5": members(weights=b"hello"),
    "weights are cut off": members(weights=lambda old: old[: len(old) // 2]),
    "weights contain themselves": weights(_cycle),
    "weights are deep": weights(lambda file: file.create_group("/".join(["a"] * 200)) and None),
    "many groups": weights(lambda file: [file.create_group(f"g{i}") for i in range(30_000)] and None),
    "external link": weights(lambda file: file.__setitem__("x", h5py.ExternalLink("/etc/passwd", "/"))),
    "soft link": weights(lambda file: file.__setitem__("x", h5py.SoftLink("/layers"))),
    "terabytes never written": _replaced(
        lambda group, name: group.create_dataset(name, (10**12,), "f4") and None
    ),
    "packed zeros": _replaced(
        lambda group, name: (
            group.create_dataset(name, data=np.zeros(10**7, "f4"), compression="gzip") and None
        )
    ),
    "weights are texts": _replaced(
        lambda group, name: group.create_dataset(name, data=[b"a", b"b"]) and None
    ),
    "another shape": _replaced(
        lambda group, name: group.create_dataset(name, data=np.zeros((2, 2), "f4")) and None
    ),
    "weights are missing": _replaced(lambda group, name: None),
}
HOSTILE = {**CARDS, **RECIPES, **ARCHIVES, **NETWORKS, **WEIGHTS}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_folder_is_refused_with_one_sentence(kind: str, toy_model: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(toy_model, folder)
    HOSTILE[kind](folder)
    with pytest.raises(AffinityZooError) as error:
        load_model(folder)
    said = str(error.value)
    assert said and "\n" not in said and len(said) < 1000


@pytest.mark.parametrize(
    "kind", ["no outputs", "recipe is deep", "weights contain themselves", "bomb as weights"]
)
def test_the_command_line_says_it_before_keras_starts(
    kind: str,
    toy_model: Path,
    tmp_path: Path,
    cli,  # type: ignore[no-untyped-def]
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def start() -> None:
        raise AssertionError("Keras was started")

    import affinity_zoo.cli  # noqa: F401  (modules that import start_keras by name keep the real one)

    monkeypatch.setattr("affinity_zoo.zoo.runtime.keras.start_keras", start)
    folder = tmp_path / "model"
    shutil.copytree(toy_model, folder)
    HOSTILE[kind](folder)
    for command in (
        ["predict", folder, "-r", "r.pdb", "-l", "p.sdf"],
        ["export", folder, "-o", tmp_path / "x.onnx"],
    ):
        done = cli(*command)
        assert done.code == 1 and done.err.startswith("error: ") and done.err.count("\n") == 1, done.err


def test_the_good_folder_loads(toy_model: Path) -> None:
    assert load_model(toy_model).card["name"] == "toy"


def _not_a_number(file: h5py.File) -> None:
    def spoil(name: str, part: Any) -> None:
        if isinstance(part, h5py.Dataset) and part.dtype.kind == "f":
            part[...] = np.nan

    file.visititems(spoil)


def test_scores_that_are_no_numbers_are_failures(
    toy_model: Path,
    small_data: Path,
    small_set: Path,
    tmp_path: Path,
    cli,  # type: ignore[no-untyped-def]
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(toy_model, folder)
    weights(_not_a_number)(folder)
    done = cli("evaluate", folder, small_data, "--split", "all", "--views", "1", "--runs", tmp_path)
    assert done.code == 1 and "no output of the network is a finite number" in done.err
    receptor = next(small_set.rglob("*.pdb"))
    done = cli(
        "predict", folder, "-r", receptor, "-l", receptor.parent, "-o", tmp_path / "out.csv", "--views", "1"
    )
    assert done.code == 1 and "not a number" in (tmp_path / "out.csv").read_text()
