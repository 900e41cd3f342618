import math
from typing import Annotated, Any, Literal

import pytest

from ganzo.schema import (
    Count,
    Fraction,
    Interval,
    Natural,
    NonNegative,
    Positive,
    accepts,
    argument_texts,
    convert,
    describe,
    parameters,
)


@pytest.mark.parametrize(
    "kind, value, expected",
    [
        (int, "5", 5),
        (int, " -5 ", -5),
        (int, 5.0, 5),
        (int, "1e3", 1000),
        (float, "1e-4", 1e-4),  # what YAML takes for a text
        (float, "1e-4 ", 1e-4),
        (float, 3, 3.0),
        (float, "-0.5", -0.5),
        (bool, True, True),
        (bool, "yes", True),
        (bool, "false", False),
        (str, "", ""),
        (str, "a b", "a b"),
        (str, "ä", "ä"),
        (dict, {"a": 1}, {"a": 1}),
        (Any, [1], [1]),
        (Literal["a", "b"], "b", "b"),
        (Literal[1, 3], "3", 3),
        (Literal[1, 3], 3.0, 3),
        (int | None, None, None),
        (int | None, "none", None),
        (int | None, "null", None),
        (int | None, "7", 7),
        (int | float, "1.5", 1.5),
        (bool | None, "no", False),
        (list[int], "1,2", [1, 2]),
        (list[int], [1, "2"], [1, 2]),
        (list[float], (1,), [1.0]),
        (tuple[int, ...], "3", [3]),
        (list, "a,b", ["a", "b"]),
        (Count, "1", 1),
        (Natural, 0, 0),
        (Positive, "1e-300", 1e-300),
        (Fraction, 1, 1.0),
        (Count | None, "none", None),
    ],
)
def test_what_a_kind_accepts(kind, value, expected):
    got = convert(kind, value)
    assert got == expected
    assert type(got) is type(expected)


@pytest.mark.parametrize(
    "kind, value",
    [
        (int, "5.5"),
        (int, 5.5),
        (int, True),  # a bool is no number
        (float, False),
        (int, "five"),
        (int, None),
        (int, [1]),
        (int, {"a": 1}),
        (int, "0x10"),
        (float, "nan"),
        (float, math.nan),
        (float, "inf"),
        (float, "-inf"),
        (float, "1e400"),
        (float, math.inf),
        (int, "nan"),
        (bool, 1),
        (bool, "1"),
        (bool, None),
        (str, 5),
        (str, None),
        (str, "a\0b"),  # no file can be called so
        (str, "\ud800"),
        (dict, "a"),
        (Literal["a", "b"], "c"),
        (Literal[1, 3], True),
        (Literal[1, 3], "1.0"),
        (Literal["a"], ["a"]),
        (int | None, "x"),
        (int | None, ""),
        (list[int], 5),
        (list[int], "1,,2"),
        (list[int], {"a": 1}),
        (Count, "0"),
        (Natural, -1),
        (Positive, 0.0),
        (NonNegative, -1e-300),
        (Fraction, 1.0000001),
        (Count | None, "0"),
    ],
)
def test_what_a_kind_refuses(kind, value):
    with pytest.raises(ValueError):
        convert(kind, value)


@pytest.mark.parametrize("value", ["9" * 400, 10**400])
def test_a_number_that_is_too_large_for_a_float(value):
    assert convert(int, str(10**30)) == 10**30
    with pytest.raises((ValueError, OverflowError)):
        convert(float, value)


@pytest.mark.parametrize(
    "kind, words",
    [
        (int, "a whole number"),
        (float, "a number"),
        (bool, "true or false"),
        (str, "a text"),
        (dict, "a mapping"),
        (Any, "any value"),
        (Count, "a whole number of at least 1"),
        (Positive, "a number above 0"),
        (Fraction, "a number from 0 to 1"),
        (Annotated[float, Interval(high=2)], "a number of at most 2"),
        (Annotated[float, Interval(0, 1, above=True)], "a number above 0 and at most 1"),
        (Literal["a", 3], "one of a, 3"),
        (Count | None, "a whole number of at least 1 or none"),
        (list[int], "a list, each a whole number"),
        (list, "a list"),
    ],
)
def test_a_kind_in_words(kind, words):
    assert describe(kind) == words


class Base:
    """A base.

    Args:
        size: how large,
            in two lines
        shared: the base's word
    """

    def __init__(self, fact, *, size: Count = 4, shared: str = "x"):
        pass


class Derived(Base):
    """Hands the rest to its base.

    Args:
        own: its own
        shared: another word
    """

    def __init__(self, *parts, own: bool = False, **named):
        super().__init__(*parts, **named)


def test_the_signature_is_the_schema():
    fact, size, shared = parameters(Base)
    assert (fact.name, size.name, shared.name) == ("fact", "size", "shared")
    assert size.default == 4 and size.kind == Count
    assert size.help == "how large, in two lines"


def test_a_class_that_passes_names_on_has_its_base_s_options_too():
    assert [p.name for p in parameters(Derived)] == ["fact", "size", "shared", "own"]
    assert argument_texts(Derived) == {
        "size": "how large, in two lines",
        "shared": "another word",
        "own": "its own",
    }


def test_a_class_without_a_constructor_has_no_options():
    assert parameters(type("Nothing", (), {})) == []


def test_an_annotation_that_cannot_be_read_accepts_anything():
    class Foreign:
        def __init__(self, *, size: "NotImported" = 3):  # noqa: F821
            pass

    (size,) = parameters(Foreign)
    assert size.kind is Any


def test_whether_a_function_takes_a_keyword():
    assert accepts(lambda a, b=1: None, "b")
    assert accepts(lambda **named: None, "anything")
    assert not accepts(lambda a: None, "b")
