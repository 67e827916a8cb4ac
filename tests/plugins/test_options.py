"""Options: fields of a dataclass, from text, TOML and Python values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from affinity_zoo.plugins.errors import UsageError
from affinity_zoo.plugins.options import (
    REQUIRED,
    as_text,
    check_type,
    convert,
    create,
    describe_type,
    option_help,
    options_of,
)

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Example:
    """An example.

    Args:
        width: how wide, voxels,
            over two lines.
        parts (str): which.
    """

    model: ClassVar[keras.Model]  # named for type checkers only: must not be evaluated
    width: int
    parts: Literal["both", "ligand"] = "both"
    scale: float = 1.5  #: Å per voxel
    strides: tuple[int, ...] = (2, 2)
    pair: tuple[int, str] = (1, "a")
    limit: float | None = None
    seed: Optional[int] = None  # noqa: UP045  the older spelling counts too
    flag: bool = field(default=False, metadata={"help": "Turn it on."})
    cache: dict[str, int] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        if self.width < 1:
            raise ValueError("width is at least 1")


def test_options_are_the_fields_in_order() -> None:
    found = options_of(Example)
    assert [o.name for o in found] == ["width", "parts", "scale", "strides", "pair", "limit", "seed", "flag"]
    assert found[0].default is REQUIRED
    assert [o.type_text for o in found] == [
        "int",
        "both|ligand",
        "float",
        "int,...",
        "int,str",
        "float or none",
        "int or none",
        "bool",
    ]


def test_help_comes_from_docstring_comment_or_metadata() -> None:
    texts = option_help(Example)
    assert texts["width"] == "how wide, voxels, over two lines."
    assert texts["parts"] == "which."
    assert texts["scale"] == "Å per voxel"
    assert texts["flag"] == "Turn it on."


def test_create_converts_text_and_toml_values() -> None:
    from_text = create(
        Example,
        {"width": " 3 ", "scale": "2", "strides": "(2, 2, 1)", "pair": "4,b", "limit": "none", "flag": "yes"},
        "x",
    )
    from_toml = create(
        Example,
        {"width": 3, "scale": 2, "strides": [2, 2, 1], "pair": [4, "b"], "limit": None, "flag": True},
        "x",
    )
    assert from_text == from_toml
    assert from_text == Example(3, "both", 2.0, (2, 2, 1), (4, "b"), None, None, True)
    assert isinstance(from_text.scale, float)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"widht": "3"}, "did you mean 'width'"),
        ({"width": "three"}, "expected a whole number, not 'three'"),
        ({"width": 3.5}, "whole number"),
        ({"width": True}, "expected int"),
        ({"width": "3", "parts": "receptor"}, "expected one of both, ligand"),
        ({"width": "3", "pair": "1"}, "expected 2 values"),
        ({"width": "3", "flag": "perhaps"}, "expected true or false"),
        ({"width": "3", "scale": "nan"}, "not nan"),
        ({}, "needs a value for width"),
        ({"width": "0"}, "width is at least 1"),
    ],
)
def test_what_does_not_fit_is_a_usage_error(options: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        create(Example, options, "featurizer 'example'")
    assert said in str(caught.value)
    assert "featurizer 'example'" in str(caught.value)


def test_a_message_names_the_options_and_their_types() -> None:
    with pytest.raises(UsageError, match=r"width \(int; \(required\)\), parts \(both\|ligand; both\)"):
        create(Example, {"nonsense": 1}, "x")


@pytest.mark.parametrize("kind", [dict, list[int], Any, int | str, tuple, bytes, tuple[dict, ...]])
def test_unsupported_types_are_refused(kind: Any) -> None:
    with pytest.raises(TypeError, match="not supported"):
        check_type(kind)


def test_a_class_that_is_no_dataclass_is_refused() -> None:
    with pytest.raises(TypeError, match="@dataclass"):
        options_of(int)


def test_an_unsupported_field_is_named() -> None:
    @dataclass
    class Bad:
        table: dict[str, int] = field(default_factory=dict)

    with pytest.raises(TypeError, match=r"option 'table' of .*Bad"):
        options_of(Bad)


scalars: dict[Any, st.SearchStrategy[Any]] = {
    int: st.integers(),
    float: st.floats(allow_nan=False),
    bool: st.booleans(),
    Literal["a", "b", 3]: st.sampled_from(["a", "b", 3]),
}


@st.composite
def typed_values(draw: st.DrawFn) -> tuple[Any, Any]:
    """Draw a supported type and a value of it."""
    kind = draw(st.sampled_from(list(scalars)))
    value = scalars[kind]
    shape = draw(st.sampled_from(["plain", "optional", "many", "two"]))
    if shape == "optional":
        return kind | None if kind is not Literal else Optional[kind], draw(st.none() | value)  # noqa: UP045
    if shape == "many":
        return tuple[kind, ...], tuple(draw(st.lists(value)))
    if shape == "two":
        return tuple[kind, int], (draw(value), draw(st.integers()))
    return kind, draw(value)


@given(typed_values())
def test_text_round_trip(drawn: tuple[Any, Any]) -> None:
    kind, value = drawn
    check_type(kind)
    assert describe_type(kind)
    back = convert(as_text(value), kind)
    assert back == value
    assert type(back) is type(value)


@given(typed_values())
def test_values_of_the_type_pass_unchanged(drawn: tuple[Any, Any]) -> None:
    kind, value = drawn
    assert convert(value, kind) == value


@given(st.text(alphabet="abcXYZ019-_", min_size=1))
def test_plain_text_passes_unchanged(text: str) -> None:
    assert convert(text, str) == text
