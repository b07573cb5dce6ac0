"""Parse Set-Cookie headers as browsers do (RFC 6265 sections 5.1.1 and 5.2)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DELIMITERS: Final = re.compile(r"[\x09\x20-\x2f\x3b-\x40\x5b-\x60\x7b-\x7e]+")
_TIME: Final = re.compile(r"([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(?![0-9])")
_DAY: Final = re.compile(r"([0-9]{1,2})(?![0-9])")
_YEAR: Final = re.compile(r"([0-9]{2,4})(?![0-9])")
_FIRST_YEAR: Final = 1601  # lowest valid year (RFC 6265 section 5.1.1)
_SECONDS: Final = re.compile(r"-?[0-9]+")
MOST: Final = 4096  # bytes of name and value that browsers keep (RFC 6265bis section 5.6)
_MOST_OF_ATTRIBUTE: Final = 1024  # bytes of an attribute's value that they read (RFC 6265bis section 5.6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cookie:
    """A cookie without its value; attribute names are in lower case, and the last of equal ones counts."""

    name: str
    size: int  # bytes of name and value
    attributes: Mapping[str, str]

    @property
    def is_dropped(self) -> bool:
        """Whether browsers drop it because it is too large."""
        return self.size > MOST

    @property
    def same_site(self) -> str:
        """The attribute in lower case, empty where it is absent."""
        return self.attributes.get("samesite", "").lower()

    def is_deletion(self, now: datetime) -> bool:
        """Return whether it deletes a cookie instead of setting one; Max-Age takes precedence over Expires."""
        age = self.attributes.get("max-age", "")
        if _SECONDS.fullmatch(age):
            return age.startswith("-") or not age.strip("0")
        expires = moment(self.attributes.get("expires", ""))
        return expires is not None and expires <= now


def cookies(set_cookie: Sequence[str]) -> tuple[Cookie, ...]:
    """Return the cookies of Set-Cookie lines, decoded as Latin-1; a line without a name sets none."""
    return tuple(cookie for line in set_cookie if (cookie := _cookie(line)))


def _cookie(line: str) -> Cookie | None:
    pair, *rest = line.split(";")
    name, equals, value = pair.partition("=")
    if not equals or not name.strip():
        return None
    attributes = dict(attribute for text in rest if len((attribute := _attribute(text))[1]) <= _MOST_OF_ATTRIBUTE)
    return Cookie(name=name.strip(), size=len(name.strip()) + len(value.strip()), attributes=attributes)


def _attribute(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name.strip().lower(), value.strip()


def moment(text: str) -> datetime | None:
    """Return the date of an Expires attribute, in any form that browsers read; None where it is not a date."""
    time = day = month = year = None
    for part in _DELIMITERS.split(text):
        if time is None and (time := _TIME.match(part)):
            continue
        if day is None and (day := _DAY.match(part)):
            continue
        if month is None and part[:3].lower() in _MONTHS:
            month = _MONTHS.index(part[:3].lower()) + 1
            continue
        year = year or _YEAR.match(part)
    if not (time and day and month and year) or _full(int(year[1])) < _FIRST_YEAR:
        return None
    hour, minute, second = map(int, time.groups())
    try:
        return datetime(_full(int(year[1])), month, int(day[1]), hour, minute, second, tzinfo=UTC)
    except ValueError:  # the 30th of February
        return None


def _full(year: int) -> int:
    """Return the full year of two digits."""
    return year + (1900 if 70 <= year <= 99 else 2000 if year <= 69 else 0)  # noqa: PLR2004  # RFC 6265 section 5.1.1
