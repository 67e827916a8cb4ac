"""How poses are scored and ranked."""

from __future__ import annotations

from dataclasses import dataclass

from affinity_zoo.plugins.errors import UsageError
from affinity_zoo.zoo.prediction import ranking
from affinity_zoo.zoo.prediction.chunks import CHUNK


@dataclass(frozen=True)
class Choices:
    """How poses are scored and ranked."""

    views: int | None = (
        None  #: fixed rotations averaged for each pose, the file's own first; None: the card's
    )
    seed: int = 0  #: of the views
    batch_size: int = 32  #: images at once
    voxelize: str = "auto"  #: where images are made: auto, host or device
    threads: int = 2  #: that make images
    rank_by: str | None = None  #: pose, activity, affinity, rmsd or product; None: the first the models give
    best_per: str | None = None  #: molecule: the best pose of each
    chunk: int = CHUNK  #: poses of a piece of work
    processes: int = 0  #: that score; 0: this one
    dask: str = ""  #: address of a Dask scheduler to score on

    def __post_init__(self) -> None:
        for name, number in (
            ("views", 1 if self.views is None else self.views), ("batch_size", self.batch_size),
            ("threads", self.threads), ("chunk", self.chunk),
        ):  # fmt: skip
            if number < 1:
                raise UsageError(f"`{name}` must be at least 1, not {number}")
        if self.voxelize not in ("auto", "host", "device"):
            raise UsageError(f"`voxelize` is one of auto, host, device, not {self.voxelize!r}")
        ranking.check_best_per(self.best_per)
