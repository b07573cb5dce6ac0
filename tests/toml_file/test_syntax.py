"""Every mistake in the syntax of TOML is told in probekit's words, with its line."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path
from tomllib import _parser  # type: ignore[attr-defined]  # its own messages are what is read here

import pytest

from probekit.toml_file import ConfigError, parse
from probekit.toml_file.syntax import UNKNOWN, in_words

VALUE = "a value is missing or invalid: write a text in quotes, a number, true, false, a [list] or a {table}"
OPEN = "the closing quotes of a text are missing"


def _messages() -> list[str]:
    """What tomllib of this Python raises, with an example for what it puts in."""
    raised = (
        argument
        for node in ast.walk(ast.parse(inspect.getsource(_parser)))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in {"suffixed_err", "TOMLDecodeError"}
        for argument in node.args
        if isinstance(argument, ast.Constant | ast.JoinedStr) and "(at " not in ast.unparse(argument)
    )
    return list(dict.fromkeys(map(_example, raised)))


def _example(text: ast.Constant | ast.JoinedStr) -> str:
    parts = text.values if isinstance(text, ast.JoinedStr) else [text]
    return "".join(
        str(part.value) if isinstance(part, ast.Constant) else "'x'" if part.conversion == ord("r") else "('a', 'b')"
        for part in parts
        if isinstance(part, ast.Constant | ast.FormattedValue)
    )


def test_the_messages_of_tomllib_are_found() -> None:
    assert {"Invalid value", "Cannot declare ('a', 'b') twice", "Illegal character 'x'"} <= {*_messages()}


@pytest.mark.parametrize("message", _messages())
def test_each_message_of_tomllib_has_words(message: str) -> None:
    told = in_words(message)

    assert told != UNKNOWN
    assert message.lower() not in told.lower()


def test_a_message_of_a_newer_python_gets_a_sentence_of_its_own() -> None:
    assert in_words("Brand new") == UNKNOWN


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a = 1\n?\n", "2: TOML syntax error, column 1: a line must begin with a key, a [table] or a # comment"),
        ("a =\n", f"1: TOML syntax error, column 4: {VALUE}"),
        ("a = prod\n", f"1: TOML syntax error, column 5: {VALUE}"),
        ("a = [1,\n", f"1: TOML syntax error, end of file: {VALUE}"),
        ("a = 10s\n", "1: TOML syntax error, column 7: unexpected text after a value; write texts in quotes"),
        ("a\n", "1: TOML syntax error, column 2: = and a value are missing after the key"),
        ("[a\n", "1: TOML syntax error, column 3: the ] after the name of the table is missing"),
        ("[[a]\n", "1: TOML syntax error, column 4: the ]] after the name of the list of tables is missing"),
        ("a = 'b\nc = 1\n", f"2: TOML syntax error, end of file: {OPEN}"),
        ("a = '''b\nc = 1\n", f"2: TOML syntax error, end of file: {OPEN}"),
        ("a = 'b", f"1: TOML syntax error, end of file: {OPEN}"),
        ('a = "b\nc = 1\n', f"1: TOML syntax error, column 7: {OPEN} on this line"),
        ('a = "b', f"1: TOML syntax error, end of file: {OPEN}"),
        ("a.ü = 1\n", "1: TOML syntax error, column 3: a key without quotes may contain letters, digits, - and _ only"),
        ("a = [1 2]\n", "1: TOML syntax error, column 8: a comma or the ] of this list is missing"),
        (
            "a = {b = 1\n",
            "1: TOML syntax error, column 11: a comma or the } of this table is missing; write it on one line",
        ),
        (
            'a = "C:\\temp\\x"\n',
            "1: TOML syntax error, column 15: invalid backslash: write \\\\ in \"...\", or put the text in '...'",
        ),
        ('a = "\\uzzzz"\n', "1: TOML syntax error, column 8: \\u needs four hexadecimal digits, \\U eight"),
        ('a = "\\ud800"\n', "1: TOML syntax error, column 12: this escape is not the code of a Unicode character"),
        ("a = 2026-02-30\n", "1: TOML syntax error, column 5: invalid date or time"),
        (
            'a = "\x00"\n',
            "1: TOML syntax error, column 6: the control character U+0000 is not allowed; in a text, write \\u0000",
        ),
        (
            "# \x1b\n",
            "1: TOML syntax error, column 3: the control character U+001B is not allowed; in a text, write \\u001b",
        ),
        (
            "a = {b = 1, b = 2}\n",
            "1: TOML syntax error, column 18: this key is set twice in one table; keep one of them",
        ),
    ],
)
def test_a_mistake_is_told_with_its_place(text: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(text, Path("a.toml"))

    assert str(caught.value) == f"a.toml:{told}"
