"""What does a JSON answer say at a path?"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from math import isfinite
from typing import TYPE_CHECKING, Any, Final

from probekit.model.measurement import ProbeFailedError, Reason

if TYPE_CHECKING:
    from jsonpath import JSONPath
    from jsonpath.path import CompoundJSONPath
    from jsonpath.segments import JSONPathSegment

_SHOWN: Final = 60  # characters of what a target says


@cache
def compile_path(text: str) -> JSONPath | CompoundJSONPath:
    """The path, checked.

    Raises:
        ValueError: it is no path of RFC 9535.
    """
    from jsonpath import JSONPathEnvironment, JSONPathError  # noqa: PLC0415  # for the runs that have paths

    from probekit.probes._support.path_functions import FUNCTIONS  # noqa: PLC0415  # as above

    environment = JSONPathEnvironment(strict=True)  # RFC 9535 and nothing beside it
    environment.function_extensions |= FUNCTIONS
    try:
        return environment.compile(text)
    except JSONPathError as error:
        message = f"'{text}' is no JSONPath of RFC 9535, such as \"$.status\""
        raise ValueError(message) from error


def parse(body: bytes) -> Any:  # noqa: ANN401  # any JSON value
    """The one document in the body, by RFC 8259; of its leniencies, the byte order mark of section 8.1 alone.

    Raises:
        ProbeFailedError: `bad_response`: not UTF-8, not one document, a key twice, or a number that is none.
    """
    try:
        return json.loads(
            body.decode("utf-8-sig"),
            object_pairs_hook=_once,
            parse_constant=_no_number,
            parse_float=_finite,
            parse_int=_whole,
        )
    except (ValueError, RecursionError) as error:  # UnicodeDecodeError and JSONDecodeError are ValueErrors
        raise ProbeFailedError(Reason.BAD_RESPONSE, f"the body is no JSON: {_why(error)}") from error


def find(path: str, document: Any) -> Any:  # noqa: ANN401  # any JSON value
    """The one value at the path.

    Raises:
        ProbeFailedError: `bad_response`: nothing is there, or null, or more than one value.
    """
    return the_one(find_all(path, document), path, document)


def find_all(path: str, document: Any) -> list[Any]:  # noqa: ANN401  # any JSON value
    """Every value at the path, null included.

    Raises:
        ProbeFailedError: `bad_response`: it cannot be read.
    """
    return [document] if path == "$" else _found(compile_path(path), path, document)


def has_room(path: str, document: Any) -> bool:  # noqa: ANN401  # any JSON value
    """Whether something could stand at the path: whether the object or array around it is there.

    Raises:
        ProbeFailedError: `bad_response`: it cannot be read.
    """
    from jsonpath import JSONPath  # noqa: PLC0415  # as above

    compiled = compile_path(path)
    if not isinstance(compiled, JSONPath) or not compiled.segments:
        return True
    *outer, last = compiled.segments
    around = [document] if not outer else _found(JSONPath(env=compiled.env, segments=outer), path, document)
    return any(isinstance(one, _rooms_of(last)) for one in around)


def _rooms_of(segment: JSONPathSegment) -> tuple[type, ...]:
    """What may hold what the last part of a path names: an object a key, an array an index."""
    from jsonpath.segments import JSONPathRecursiveDescentSegment  # noqa: PLC0415  # as above
    from jsonpath.selectors import IndexSelector, NameSelector, SliceSelector  # noqa: PLC0415  # as above

    if not isinstance(segment, JSONPathRecursiveDescentSegment):
        for selectors, room in ((NameSelector, dict), (IndexSelector | SliceSelector, list)):
            if all(isinstance(one, selectors) for one in segment.selectors):
                return (room,)
    return dict, list


def _found(compiled: JSONPath | CompoundJSONPath, path: str, document: Any) -> list[Any]:  # noqa: ANN401  # any JSON value
    from jsonpath import JSONPathError  # noqa: PLC0415  # as above

    within = None if isinstance(document, str) else document  # the library reads a text as a document of its own
    try:
        return list(compiled.findall(within))
    except (JSONPathError, RecursionError) as error:
        raise ProbeFailedError(Reason.BAD_RESPONSE, f"{path} cannot be read in this answer") from error


def the_one(found: Sequence[Any], path: str, document: Any) -> Any:  # noqa: ANN401  # any JSON value
    """The value of those that were found at a path, where it is one.

    Raises:
        ProbeFailedError: `bad_response`: it is none, or null, or more than one.
    """
    if len(found) != 1 or found[0] is None:
        what = "null" if len(found) == 1 else "nothing" if not found else f"{len(found)} values"
        raise ProbeFailedError(Reason.BAD_RESPONSE, f"{what} at {path}; {keys(document)}")
    return found[0]


def keys(document: Any) -> str:  # noqa: ANN401  # any JSON value
    """What the document is made of, for whoever has to write a path into it."""
    if not isinstance(document, dict):
        return f"the body is {shown(document)}"
    names = ", ".join(shown(key) for key in list(document)[:10])
    return f"the body's keys are {names or 'none'}"


def shown(value: Any) -> str:  # noqa: ANN401  # any JSON value
    """A value as JSON, cut to what a line can hold."""
    text = json.dumps(value, ensure_ascii=True)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def is_number(value: Any) -> bool:  # noqa: ANN401  # any JSON value
    """Whether it is a JSON number; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        message = "an object has one key twice"
        raise ValueError(message)
    return document


def _no_number(word: str) -> float:
    message = f"{word} is no JSON number"
    raise ValueError(message)


def _finite(text: str) -> float:
    number = float(text)
    return number if isfinite(number) else _no_number(text[:_SHOWN])


def _whole(text: str) -> int:
    digits = 300  # a float holds no larger one, and int() of 5,000 digits raises
    return int(text) if len(text) <= digits else int(_no_number(f"a number of {len(text)} digits"))


def _why(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8"
    if isinstance(error, json.JSONDecodeError):  # what it says of itself is for programmers
        return f"it cannot be read from line {error.lineno}, column {error.colno} on"
    return str(error)
