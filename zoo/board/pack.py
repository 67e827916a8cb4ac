"""Exchange of results between machines: ``results pack`` and ``results add``."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from affinity_zoo.plugins.errors import AffinityZooError, UsageError
from affinity_zoo.zoo.board.leaderboard import find_results
from affinity_zoo.zoo.board.results import ORIGIN_NAME, PREDICTIONS_NAME, RESULT_NAME, Result, load_result
from affinity_zoo.zoo.board.truths import Truths
from affinity_zoo.zoo.board.verify import believed
from affinity_zoo.zoo.models.run_folder import RunFolder
from affinity_zoo.zoo.models.training_ligands import FILE as LIGANDS
from affinity_zoo.zoo.models.training_sequences import FILE as SEQUENCES
from affinity_zoo.zoo.runtime.archives import Limits, open_archive, read_member
from affinity_zoo.zoo.runtime.files import file_hash, whole_folder

FORMAT = "affinity-zoo results"
MANIFEST = "manifest.json"
ADDED = "added"  #: folder below the summaries where results of others lie
WEIGHTS = "model.keras"
#: what of a model travels with its results
BESIDE = ("recipe.toml", "card.json", "training_pairs.csv", LIGANDS, SEQUENCES)
LIMITS = Limits(file=1 << 30, members=5_000, unpacked=4 << 30, ratio=200)
MOST_MANIFEST = 8 << 20
MOST_FILE = 2 << 30


@dataclass(frozen=True)
class Added:
    """Summary of added results."""

    folder: Path
    results: list[Result]
    refused: list[str]

    @property
    def unchecked(self) -> list[Result]:
        """Results whose benchmark is not available here."""
        return [result for result in self.results if not result.verified]


def pack_results(
    runs: Sequence[str | int | Path], out: Path, *, root: Path, weights: bool = False
) -> list[Result]:
    """Write the results of some runs into one archive.

    Args:
        runs: numbers of runs below ``root``, or folders with results.
        out: the ZIP file.
        root: the summaries folder.
        weights: put the models' weights in too.

    Returns:
        The results that were packed.

    Raises:
        AffinityZooError: there is no result, or one was edited.
        UsageError: weights are requested, and a model is not available.
    """
    packed: list[Result] = []
    files: dict[str, Path] = {}
    for run in runs:
        folder, model = _places(run, root)
        found = find_results([folder])
        if not found:
            raise AffinityZooError(f"{folder} contains no result; `affinity-zoo evaluate` makes one")
        if weights and (model is None or not (model / WEIGHTS).is_file()):
            raise UsageError(f"the weights of {run} are not available: pack without them")
        for path in found:
            result = load_result(path)
            place = f"{len(packed):03}-{_slug(str(result.model.get('name')))}-{_slug(str(result.benchmark['name']))}"
            files[f"{place}/{RESULT_NAME}"] = path
            files[f"{place}/{PREDICTIONS_NAME}"] = path.with_name(result.data["predictions"]["file"])
            names = [*BESIDE, *([WEIGHTS] if weights else [])]
            for name in names:
                if model is not None and (model / name).is_file():
                    files[f"{place}/{name}"] = model / name
            packed.append(result)
    write_archive(out, files, {"format": FORMAT, "version": 1, "results": len(packed)})
    return packed


def write_archive(out: Path, files: dict[str, Path], about: dict[str, Any]) -> None:
    """Write files and a manifest with their SHA-256 into a ZIP archive, whole or not at all.

    Args:
        out: Output file.
        files: Files by their names in the archive.
        about: A description.
    """
    manifest = {**about, "files": {name: file_hash(path) for name, path in files.items()}}
    out.parent.mkdir(parents=True, exist_ok=True)
    temporary = out.with_name(f"{out.name}.tmp")
    try:
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(MANIFEST, json.dumps(manifest, indent=1, sort_keys=True) + "\n")
            for name, path in files.items():
                archive.write(path, name)
        temporary.replace(out)
    finally:
        temporary.unlink(missing_ok=True)


def add_results(source: Path, *, root: Path) -> Added:
    """Add results from an archive or a folder; they are verified as far as the benchmark is available here.

    Args:
        source: what :func:`pack_results` wrote, or a folder with results.
        root: the summaries folder; the results go to ``added/`` in it.

    Returns:
        What was added, and a sentence for each that is refused.

    Raises:
        AffinityZooError: the archive is damaged or hostile, or no result is believed.
    """
    digest = _digest(source)
    place = root / ADDED / f"{_slug(source.name.removesuffix('.zip'))}-{digest[:8]}"
    results: list[Result] = []
    refused: list[str] = []
    with whole_folder(place) as folder:
        if source.is_dir():
            _copy(source, folder)
        else:
            unpack(source, folder, FORMAT, (RESULT_NAME, PREDICTIONS_NAME, *BESIDE, WEIGHTS))
        origin = {"file": source.name, "sha256": digest}
        (folder / ORIGIN_NAME).write_text(json.dumps(origin, indent=1) + "\n", encoding="utf-8")
        truths = Truths.beside([root])
        for path in find_results([folder]):
            try:
                results.append(believed(load_result(path), truths, thorough=True))
            except AffinityZooError as error:
                refused.append(str(error).replace(f"{folder}/", ""))
                shutil.rmtree(path.parent)
        if not results:
            why = f": {refused[0]}" if refused else ""
            raise AffinityZooError(f"{source} contains no result that passes the verification{why}")
    moved = [dataclasses.replace(r, path=place / r.path.relative_to(folder)) for r in results]
    return Added(place, moved, refused)


def unpack(source: Path, folder: Path, form: str, names: Sequence[str]) -> dict[str, Any]:
    """Unpack an archive whose manifest lists every file with its SHA-256.

    Args:
        source: the ZIP archive.
        folder: to write to.
        form: the kind of archive that the manifest must state.
        names: of files that it may hold, in folders or not.

    Returns:
        The manifest.

    Raises:
        AffinityZooError: it is another kind of archive, or a file differs from the manifest.
    """
    with open_archive(source, LIMITS) as archive:
        try:
            manifest = json.loads(read_member(archive, MANIFEST, MOST_MANIFEST))
            files = dict(manifest["files"])
            if manifest["format"] != form:
                raise ValueError(f"it is {manifest['format']!r}")
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise AffinityZooError(f"{source} is not an archive of the format {form!r} ({error})") from error
        listed = {entry.filename for entry in archive.infolist()} - {MANIFEST}
        if listed != set(files):
            odd = sorted(listed.symmetric_difference(files))[0]
            raise AffinityZooError(f"{source}: its manifest and its files differ ({odd}); get the file again")
        for name in files:
            parts = name.split("/")
            if parts[-1] not in names or len(parts) > 2:
                raise AffinityZooError(
                    f"{source}: refused, it contains {name!r}, which does not belong in such an archive"
                )
        for name, digest in files.items():
            data = read_member(archive, name, MOST_FILE)
            if hashlib.sha256(data).hexdigest() != digest:
                raise AffinityZooError(f"{source}: {name} differs from the manifest; get the file again")
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
    return manifest


def _places(run: str | int | Path, root: Path) -> tuple[Path, Path | None]:
    """Return the folder of a run's results, and its model if available."""
    path = Path(str(run))
    if str(run).isdigit() or (path.is_dir() and path.resolve().name.endswith("_logs")):
        found = RunFolder.find(str(run), root)
        return found.logs, found.model if found.model.is_dir() else None
    if path.exists():
        return path, None
    raise AffinityZooError(f"{run} is neither a run in {root} nor a folder with results")


def _copy(source: Path, folder: Path) -> None:
    """Copy the results in a folder, and what lies beside them; links are not followed."""
    for number, path in enumerate(find_results([source])):
        target = folder / f"{number:03}"
        target.mkdir()
        for name in (RESULT_NAME, PREDICTIONS_NAME, *BESIDE):
            file = path.with_name(name)
            if file.is_file() and not file.is_symlink():
                shutil.copyfile(file, target / name)


def _digest(source: Path) -> str:
    if not source.exists():
        raise AffinityZooError(
            f"{source} does not exist: give an archive that `results pack` made, or a folder"
        )
    if source.is_dir():
        total = hashlib.sha256()
        for path in find_results([source]):
            total.update(file_hash(path).encode())
        return total.hexdigest()
    return file_hash(source)


def _slug(name: str) -> str:
    plain = name.encode("ascii", "replace").decode()
    kept = "".join(letter if letter.isalnum() or letter in "._-" else "-" for letter in plain)
    return kept.strip("-.")[:60] or "results"
