"""Every error that pydantic knows is told in probekit's words, or is one that no TOML document can cause."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic_core import PydanticKnownError
from pydantic_core._pydantic_core import list_all_errors

from probekit.toml_file.words import DUE, NOT_IN_TOML, OTHER, Wrong, finding

KNOWN: list[Any] = list_all_errors()
TYPES = [one["type"] for one in KNOWN]
CUSTOM = {"path_type"}  # of pydantic's own Python
OF_SOME_RELEASES = {  # of those that are allowed: the first until pydantic 2.13, the others since 2.13 or 2.14
    "string_sub_type",
    *("counter_type", "deque_type", "frozen_dict_type", "named_tuple_type", "ordered_dict_type"),
    *("ellipsis_error", "fraction_parsing", "fraction_type", "recursion_depth_exceeded", "string_not_ascii"),
}


def wrong(kind: str, context: dict[str, Any], written: object = "hunter2") -> Wrong:
    return Wrong(type=kind, written=written, context=context, name="key", description="how long", known=("other",))


@pytest.mark.parametrize("kind", TYPES)
def test_each_type_is_a_row_of_one_table(kind: str) -> None:
    tables = [name for name, table in (("DUE", DUE), ("OTHER", OTHER), ("NOT_IN_TOML", NOT_IN_TOML)) if kind in table]

    assert len(tables) == 1, f"pydantic's error {kind} is in {tables or 'no table'} of toml_file/words.py"


def test_no_row_is_of_a_type_that_pydantic_does_not_know() -> None:
    assert {*DUE, *OTHER, *NOT_IN_TOML} - {*TYPES} - OF_SOME_RELEASES == CUSTOM


@pytest.mark.parametrize("one", KNOWN, ids=TYPES)
def test_no_text_of_pydantic_is_shown(one: dict[str, Any]) -> None:
    context = {name: name.upper() if value == "" else value for name, value in (one["example_context"] or {}).items()}
    if one["type"] in {"value_error", "assertion_error"}:
        context = {"error": ValueError("too few")}
    pydantics = PydanticKnownError(one["type"], context or None).message()

    told = " ".join(finding(wrong(one["type"], context)))

    assert pydantics not in told
    assert not {
        "ERROR",
        "CLASS_NAME",
        "METHOD_NAME",
        "Input",
        "valid",
        "dictionary",
        "parse",
        "string",
        "instance",
    } & set(told.split())
    assert "hunter2" not in told or one["type"] in {"literal_error", "enum"}  # where one word of a few is due


def test_a_type_of_a_newer_pydantic_gets_a_sentence_of_its_own() -> None:
    assert finding(wrong("brand_new", {"error": "a text of pydantic"})) == (
        "a text is not accepted here (how long)",
        "",
        "",
    )
