"""Schema of the card fields that scoring needs, checked before use."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from affinity_zoo.plugins.errors import AffinityZooError

_REMEDY = "get the model again from where it came"
_Text = Annotated[str, msgspec.Meta(max_length=20_000)]
_Word = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
_Logit = Annotated[float, msgspec.Meta(ge=-700.0, le=700.0)]


class Output(msgspec.Struct):
    """One output of the network."""

    name: Literal["pose", "activity", "affinity", "rmsd"]
    unit: _Text
    direction: _Text


class Card(msgspec.Struct):
    """Required fields of a card; further fields are allowed."""

    outputs: Annotated[list[Output], msgspec.Meta(min_length=1, max_length=4)]
    name: _Word
    format: Literal[1] = 1
    logit_correction: _Logit | None = 0.0
    logit_corrections: dict[str, _Logit | None] | None = None
    threshold: _Logit | None = None
    epoch: Annotated[int, msgspec.Meta(ge=0, le=10**9)] | None = 0
    views: Annotated[int, msgspec.Meta(ge=1, le=64)] = 4
    headline: _Text | None = ""
    about: _Text | None = ""
    shuffled_labels: bool = False
    training_ids_hash: str = ""
    output_ranges: dict[str, tuple[float, float]] | None = None  #: least and largest on the validation set


def check_card(card: Any, where: object) -> None:
    """Refuse a card that does not follow the schema.

    Args:
        card: as parsed from JSON.
        where: the file, for the message.

    Raises:
        AffinityZooError: a field is missing or of another kind; the message names it.
    """
    try:
        checked = msgspec.convert(card, Card)
    except (msgspec.ValidationError, RecursionError) as error:
        raise AffinityZooError(
            f"{where}: not a model's card ({error}); get the model again from where it came"
        ) from error
    names = [output.name for output in checked.outputs]
    if len(set(names)) < len(names):
        raise AffinityZooError(f"{where}: names an output twice; {_REMEDY}")
