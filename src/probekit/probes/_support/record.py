"""Read from a document what it is of, when it was made, by what and where it lies."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final, Self, TypeVar

from pydantic import Field, model_validator

from probekit.model.record import Record, is_commit, is_digest
from probekit.probe import ProbeFailedError, Settings
from probekit.probes._support.json import compile_path, find, is_number, shown
from probekit.text import one_line_problem

_ValueT = TypeVar("_ValueT")
_LATEST: Final = 1e11  # seconds since 1970; a larger number is in milliseconds


class RecordPlaces(Settings):
    """The places of a record's facts in a JSON document."""

    release: str = Field("$.release", description="JSONPath (RFC 9535) of the version that the numbers are of.")
    commit: str = Field("$.commit", description="JSONPath of the commit that they are of.")
    digest: str = Field("$.digest", description="JSONPath of the digest of the image that they are of.")
    made: str = Field(
        "$.made", description="JSONPath of the time they were made: RFC 3339 with a zone, or seconds since 1970."
    )
    by: str = Field("$.by", description="JSONPath of the name of what made them.")
    place: str = Field("$.place", description="JSONPath of the path or URL where they lie.")

    @model_validator(mode="after")
    def _are_places(self) -> Self:
        for path in self.model_dump().values():
            compile_path(path)
        return self


def record_in(document: Any, places: RecordPlaces, by: str) -> Record:  # noqa: ANN401  # any JSON value
    """Return the record of a document; a fact that is absent is None, unless the settings name its place.

    Where one of release, commit and digest cannot be read, none of them counts.

    Args:
        document: a JSON document.
        places: where its facts are.
        by: what made it, where the document does not say.
    """
    reader = _Reader(document, places)
    release, commit = reader.read("release", _line), reader.read("commit", _commit)
    digest = reader.read("digest", _digest)
    if reader.unreadable:  # the facts that can be read may be equal where that one differs
        release = commit = digest = None
    return Record(
        release=release,
        commit=commit,
        digest=digest,
        made=reader.read("made", _moment),
        by=reader.read("by", _line) or by,
        place=reader.read("place", _line) or "",
        unreadable=reader.unreadable,
    )


class _Reader:
    """Reads the facts of one document; `unreadable` is the first fact that is wrong."""

    def __init__(self, document: Any, places: RecordPlaces) -> None:  # noqa: ANN401  # any JSON value
        self._document = document if isinstance(document, dict | list) else {}
        self._places = places
        self.unreadable = ""

    def read(self, name: str, convert: Callable[[Any], _ValueT]) -> _ValueT | None:
        """Return one fact, or None."""
        path = getattr(self._places, name)
        try:
            value = find(path, self._document)
        except ProbeFailedError as error:
            if name in self._places.model_fields_set:
                self.unreadable = self.unreadable or error.detail
            return None
        try:
            return convert(value)
        except ValueError as error:
            self.unreadable = self.unreadable or f"{name} at {path} is {shown(value)}, expected {error}"
            return None


def _line(value: Any) -> str:  # noqa: ANN401  # any JSON value
    if not isinstance(value, str) or one_line_problem(value):
        raise ValueError("a text of one line")
    return value


def _commit(value: Any) -> str:  # noqa: ANN401  # any JSON value
    if not isinstance(value, str) or not is_commit(value.lower()):
        raise ValueError("a commit of 7 to 64 hexadecimal digits")
    return value.lower()


def _digest(value: Any) -> str:  # noqa: ANN401  # any JSON value
    if not isinstance(value, str) or not is_digest(value):
        raise ValueError("sha256: and 64 hexadecimal digits")
    return value


def _moment(value: Any) -> datetime:  # noqa: ANN401  # any JSON value
    expected = "a time with a zone (RFC 3339), or seconds since 1970"
    try:
        if is_number(value) and 0 < value < _LATEST:
            return datetime.fromtimestamp(value, UTC)
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
        if found is not None and found.tzinfo is not None:
            return found.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise ValueError(expected)
