"""Read a TOML file: its text and its document, or a ConfigError with the reason."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any, Final

from probekit.files import read_file
from probekit.toml_file.lines import Keys, line_of
from probekit.toml_file.problem import ConfigError, FileProblem
from probekit.toml_file.syntax import in_words

_NO_FILE: Final = "name the file with --config, or create one: probekit init URL"


def read(path: Path) -> dict[str, Any]:
    """The document in a TOML file.

    Raises:
        ConfigError: the file does not exist, or is not valid TOML.
    """
    return parse(text_of(path), path)


def text_of(path: Path, *, if_missing: str = _NO_FILE) -> str:
    """The text of a file; `if_missing` is the advice where it does not exist.

    Raises:
        ConfigError: the file cannot be read, is not UTF-8, or is too large.
    """
    try:
        data = read_file(path)
    except OSError as error:
        hint = if_missing if isinstance(error, FileNotFoundError) else ""
        summary = error.strerror or type(error).__name__
        raise _refused(path, f"cannot be read: {summary}", "", hint=hint) from error
    except ValueError as error:  # a NUL in its name
        raise _refused(path, "invalid file name", "the path of a TOML file") from error
    try:
        return data.decode("utf-8-sig")  # some editors begin a file with a byte order mark
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _refused(path, "not UTF-8", "a file encoded in UTF-8", line=line) from error


def parse(text: str, path: Path) -> dict[str, Any]:
    """The document in the text of a TOML file.

    Raises:
        ConfigError: a syntax error, with line and column.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        summary, _, place = str(error).rpartition(" (at ")
        at = re.match(r"line (\d+), column (\d+)", place)
        line = int(at[1]) if at else text.rstrip("\r\n").count("\n") + 1
        column = f"column {at[2]}" if at else "end of file"
        raise _refused(path, f"TOML syntax error, {column}: {in_words(summary)}", "", line=line) from error
    except (RecursionError, ValueError) as error:  # ValueError: a number of thousands of digits
        found, line = _too_much(text)
        raise _refused(path, found, "", line=line) from error
    if keys := _too_large(document):
        raise _refused(path, "number too large", "an integer of 64 bits", line=line_of(text, keys))
    return document


def _too_much(text: str) -> tuple[str, int]:
    """The reason why Python cannot read the text, and its line: a number too long for int(), else nesting."""
    lines = text.split("\n")
    for number, line in enumerate(lines, start=1):
        if re.search(r"[0-9_]{4300}", line):
            return "a number has thousands of digits; shorten it", number
    deepest = max(range(len(lines)), key=lambda at: lines[at].count("[") + lines[at].count("{") + lines[at].count("."))
    return "tables or lists are nested too deeply", deepest + 1


def _too_large(document: dict[str, Any]) -> Keys:
    """The keys of an integer of more than 64 bits, which TOML does not allow; empty where there is none."""
    waiting: list[tuple[tuple[str | int, ...], object]] = [((), document)]
    while waiting:
        keys, value = waiting.pop()
        if isinstance(value, dict):
            waiting += [((*keys, name), part) for name, part in value.items()]
        elif isinstance(value, list):
            waiting += [((*keys, number), part) for number, part in enumerate(value)]
        elif isinstance(value, int) and not -(1 << 63) <= value < 1 << 63:
            return keys
    return ()


def _refused(path: Path, found: str, expected: str, *, hint: str = "", line: int | None = None) -> ConfigError:
    return ConfigError([FileProblem(file=path, line=line, key="", found=found, expected=expected, hint=hint)])
