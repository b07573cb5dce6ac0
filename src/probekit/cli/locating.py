"""Find the line of a table of the configuration, for reports that name one."""

from __future__ import annotations

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
    """Return the path relative to the working directory, or a file: URL where it is outside."""
    absolute = path.absolute()
    try:
        return quote(absolute.relative_to(Path.cwd()).as_posix())
    except ValueError:
        return absolute.as_uri()
