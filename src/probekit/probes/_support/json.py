"""Parse a JSON answer strictly, and find values at JSONPaths."""

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

_SHOWN: Final = 60  # characters of a target's text


@cache
def compile_path(text: str) -> JSONPath | CompoundJSONPath:
    """Compile a path.

    Raises:
        ValueError: it is not a path of RFC 9535.
    """
    from jsonpath import JSONPathEnvironment, JSONPathError  # noqa: PLC0415  # for the runs that have paths

    from probekit.probes._support.path_functions import FUNCTIONS  # noqa: PLC0415  # as above

    environment = JSONPathEnvironment(strict=True)  # RFC 9535 without extensions
    environment.function_extensions |= FUNCTIONS
    try:
        return environment.compile(text)
    except JSONPathError as error:
        message = f"'{text}' is not a JSONPath of RFC 9535, such as \"$.status\""
        raise ValueError(message) from error


def parse(body: bytes) -> Any:  # noqa: ANN401  # any JSON value
    """Parse the body as one document by RFC 8259; a byte order mark (section 8.1) is accepted.

    Raises:
        ProbeFailedError: `bad_response`: not UTF-8, not one document, a repeated key, or an invalid number.
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
        raise ProbeFailedError(Reason.BAD_RESPONSE, f"the body is not valid JSON: {_why(error)}") from error


def find(path: str, document: Any) -> Any:  # noqa: ANN401  # any JSON value
    """Return the one value at the path.

    Raises:
        ProbeFailedError: `bad_response`: there is no value, null, or more than one value.
    """
    return the_one(find_all(path, document), path, document)


def find_all(path: str, document: Any) -> list[Any]:  # noqa: ANN401  # any JSON value
    """Return every value at the path, null included.

    Raises:
        ProbeFailedError: `bad_response`: the path cannot be evaluated.
    """
    return [document] if path == "$" else _found(compile_path(path), path, document)


def has_room(path: str, document: Any) -> bool:  # noqa: ANN401  # any JSON value
    """Return whether the object or array around the path exists.

    Raises:
        ProbeFailedError: `bad_response`: the path cannot be evaluated.
    """
    from jsonpath import JSONPath  # noqa: PLC0415  # as above

    compiled = compile_path(path)
    if not isinstance(compiled, JSONPath) or not compiled.segments:
        return True
    *outer, last = compiled.segments
    around = [document] if not outer else _found(JSONPath(env=compiled.env, segments=outer), path, document)
    return any(isinstance(one, _rooms_of(last)) for one in around)


def _rooms_of(segment: JSONPathSegment) -> tuple[type, ...]:
    """Return the types that may hold the last part of a path: an object holds a key, an array an index."""
    from jsonpath.segments import JSONPathRecursiveDescentSegment  # noqa: PLC0415  # as above
    from jsonpath.selectors import IndexSelector, NameSelector, SliceSelector  # noqa: PLC0415  # as above

    if not isinstance(segment, JSONPathRecursiveDescentSegment):
        for selectors, room in ((NameSelector, dict), (IndexSelector | SliceSelector, list)):
            if all(isinstance(one, selectors) for one in segment.selectors):
                return (room,)
    return dict, list


def _found(compiled: JSONPath | CompoundJSONPath, path: str, document: Any) -> list[Any]:  # noqa: ANN401  # any JSON value
    from jsonpath import JSONPathError  # noqa: PLC0415  # as above

    within = None if isinstance(document, str) else document  # the library would parse a text as a document
    try:
        return list(compiled.findall(within))
    except (JSONPathError, RecursionError) as error:
        raise ProbeFailedError(Reason.BAD_RESPONSE, f"{path} cannot be evaluated in this answer") from error


def the_one(found: Sequence[Any], path: str, document: Any) -> Any:  # noqa: ANN401  # any JSON value
    """Return the one value that was found at a path.

    Raises:
        ProbeFailedError: `bad_response`: there is no value, null, or more than one value.
    """
    if len(found) != 1 or found[0] is None:
        what = "null" if len(found) == 1 else "nothing" if not found else f"{len(found)} values"
        raise ProbeFailedError(Reason.BAD_RESPONSE, f"{what} at {path}; {keys(document)}")
    return found[0]


def keys(document: Any) -> str:  # noqa: ANN401  # any JSON value
    """Return the keys of the document, as help for writing a path into it."""
    if not isinstance(document, dict):
        return f"the body is {shown(document)}"
    names = ", ".join(shown(key) for key in list(document)[:10])
    return f"the body's keys are {names or 'none'}"


def shown(value: Any) -> str:  # noqa: ANN401  # any JSON value
    """Return a value as JSON, cut to `_SHOWN` characters."""
    text = json.dumps(value, ensure_ascii=True)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def is_number(value: Any) -> bool:  # noqa: ANN401  # any JSON value
    """Return whether it is a JSON number; true and false are not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        message = "an object has a repeated key"
        raise ValueError(message)
    return document


def _no_number(word: str) -> float:
    message = f"{word} is not a JSON number"
    raise ValueError(message)


def _finite(text: str) -> float:
    number = float(text)
    return number if isfinite(number) else _no_number(text[:_SHOWN])


def _whole(text: str) -> int:
    digits = 300  # a float cannot hold more, and int() of 5,000 digits raises
    return int(text) if len(text) <= digits else int(_no_number(f"a number of {len(text)} digits"))


def _why(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8"
    if isinstance(error, json.JSONDecodeError):  # its own text is for programmers
        return f"syntax error, line {error.lineno}, column {error.colno}"
    return str(error)
