"""Find the line of a table of the configuration, for reports that name one."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote

from probekit.files import is_file
from probekit.model.document import Place
from probekit.reports import Location
from probekit.toml_file import ConfigError, line_of, text_of


def located(place: Place) -> Location:
    """Return the line of a place as its file is now; line 1 of a file that cannot be read or has no such table."""
    path = Path(place.file)
    try:
        line = line_of(text_of(path), place.keys) if is_file(path) else None  # a pipe has been read already
    except ConfigError:
        line = None
    return Location(uri=_uri(path), line=line or 1)


def _uri(path: Path) -> str:
    """Return the path relative to the working directory, or a file: URL where it is outside.

    The folder is resolved first: `../here/probes.toml` is inside, and a link may lead out. Where that fails, as without
    a working directory, it is the path as it was given.
    """
    try:
        here, absolute = Path.cwd(), path.parent.resolve() / path.name
        is_inside = absolute.is_relative_to(here)
        return quote(os.fsencode(absolute.relative_to(here))) if is_inside else absolute.as_uri()
    except (OSError, RuntimeError, ValueError):  # RuntimeError: a loop of links; ValueError: not the name of a file
        return quote(str(path), errors="replace")
