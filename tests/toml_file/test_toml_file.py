"""A wrong line of a TOML file is found, and told without its secrets."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal
from unittest.mock import Mock

import pytest
import tree_sitter
from hypothesis import given, settings, strategies as st
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator

from probekit.config.complaints import Complaints
from probekit.config.origins import Node, Origin, Origins
from probekit.toml_file import ConfigError, FileProblem, line_of, nearest, parse, read

VALUE = "a value is missing or invalid: write a text in quotes, a number, true, false, a [list] or a {table}"
TEXT = """\
# a comment
name = "x"
"quoted.key" = 1
dotted.a.b = 2
inline = { one = 1, two = { three = 3 } }

list = [
  "first",  # a comment between
  # and one alone
  { in = 1 },
  [ 1,
    2 ],
]
text = \"\"\"
three
lines\"\"\"

[env.prod.limits]
"deploy.x" = { expect = ["a",
  "b"] }
'literal' = 1

[[x]]
id = 0

[x.sub]
key = 0

[[x]]
id = 1
[[x.y]]
z = 0
[[x.y]]
z = 1

[env.prod]
base = 1

[env]
late = 1
"""


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        (["name"], 2),
        (["quoted.key"], 3),
        (["dotted", "a", "b"], 4),
        (["dotted", "a"], 4),
        (["inline", "two", "three"], 5),
        (["list"], 7),
        (["list", 0], 8),
        (["list", 1], 10),  # comments are no elements
        (["list", 1, "in"], 10),
        (["list", 2, 0], 11),
        (["list", 2, 1], 12),
        (["text"], 14),
        (["env", "prod", "limits"], 18),
        (["env", "prod", "limits", "deploy.x", "expect", 0], 19),
        (["env", "prod", "limits", "deploy.x", "expect", 1], 20),
        (["env", "prod", "limits", "literal"], 21),
        (["x", 0], 23),
        (["x"], 23),
        (["x", 0, "sub", "key"], 27),
        (["x", 1], 29),
        (["x", 1, "id"], 30),
        (["x", 1, "y", 0, "z"], 32),
        (["x", 1, "y", 1], 33),
        (["env", "prod", "base"], 37),
        (["env", "prod"], 36),  # its own header, though [env.prod.limits] came before
        (["env", "late"], 40),
    ],
)
def test_a_key_has_a_line(keys, line) -> None:
    assert line_of(TEXT, keys) == line


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        (["missing"], None),
        ([], None),
        (["env", "prod", "missing"], 36),
        (["env", "prod", "missing", "deeper"], 36),
        (["env", "missing"], 39),
        (["x", 1, "missing"], 29),
        (["x", 7], 23),
        (["list", 9], 7),
        (["inline", "two", "missing"], 5),
        (["name", "deeper"], 2),
    ],
)
def test_a_missing_key_has_the_line_of_its_nearest_parent(keys, line) -> None:
    assert line_of(TEXT, keys) == line


def test_windows_line_ends_do_not_move_lines() -> None:
    assert line_of(TEXT.replace("\n", "\r\n"), ["x", 1, "y", 1]) == 33


def test_letters_of_several_bytes_do_not_move_lines() -> None:
    assert line_of('"ü" = "日本"\n\n"é" = 1\n', ["é"]) == 3


def test_an_escaped_key_is_the_key_it_means() -> None:
    assert line_of('\n"a\\u0062" = 1\n', ["ab"]) == 2


@pytest.mark.parametrize(
    "text",
    [
        "a = " + "[" * 20_000 + "]" * 20_000,
        "a = " + "{ a = " * 20_000 + "1" + " }" * 20_000,
        ".".join(["a"] * 20_000) + " = 1",
        "[" + ".".join(["a"] * 20_000) + "]",
    ],
    ids=["lists", "tables", "a dotted key", "a header"],
)
def test_depth_is_no_crash(text: str) -> None:
    assert line_of(f"\n{text}\n", ["a"] * 20_000) == 2


@settings(deadline=None)
@given(text=st.text(alphabet="ab01[]{}=.,\"'\\\n #") | st.text())
def test_no_text_is_a_crash(text: str) -> None:
    line = line_of(text, ["a", 0, "b"])

    assert line is None or line >= 1


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def refused(path: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        read(path)
    return str(caught.value).removeprefix(f"{path.parent}/")


def test_a_file_is_read(tmp_path: Path) -> None:
    assert read(written(tmp_path / "a.toml", 'a = "ü"\r\n'.encode())) == {"a": "ü"}


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    assert read(written(tmp_path / "a.toml", "\ufeffa = 1".encode())) == {"a": 1}


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"a = 1\nb =\n", f"a.toml:2: TOML syntax error, column 4: {VALUE}"),
        (
            b"a = 1\na = 2\n",
            (
                "a.toml:2: TOML syntax error, column 6: "
                "this key is set twice, or is both a table and a value; keep one of them"
            ),
        ),
        (
            b"[env.prod]\n[env.prod]\n",
            "a.toml:2: TOML syntax error, column 10: the table [env.prod] is declared twice; keep one of them",
        ),
        (
            b"[probes.b]\n[probes.b]\n",
            "a.toml:2: TOML syntax error, column 10: the table [probes.b] is declared twice; write each as an instance, [probes.b.NAME]",  # noqa: E501
        ),
        (
            b"a = {b = 1}\na.c = 2\n",
            (
                "a.toml:2: TOML syntax error, column 8: "
                "'a' was defined before and cannot be extended; write all of it in one place"
            ),
        ),
        (b"a = [1,\n", f"a.toml:1: TOML syntax error, end of file: {VALUE}"),
        (b"ok = 1\nb = '\xff'\n", "a.toml:2: not UTF-8, expected a file encoded in UTF-8"),
        (b"#" * (1 << 20) + b"#", "a.toml: cannot be read: larger than 1 MiB"),
        (b"b = 1\na = " + b"[" * 9999, "a.toml:2: tables or lists are nested too deeply"),
        (b"b = 1\na = " + b"1" * 9999, "a.toml:2: a number has thousands of digits; shorten it"),
    ],
    ids=[
        "syntax",
        "twice",
        "table twice",
        "probe twice",
        "closed table",
        "open end",
        "encoding",
        "size",
        "depth",
        "digits",
    ],
)
def test_what_is_no_toml_is_refused(tmp_path: Path, data: bytes, told: str) -> None:
    assert refused(written(tmp_path / "a.toml", data)) == told


def test_the_largest_file_is_read(tmp_path: Path) -> None:
    assert read(written(tmp_path / "a.toml", b"#" * (1 << 20))) == {}


def test_a_missing_file_is_told_with_what_to_do(tmp_path: Path) -> None:
    told = refused(tmp_path / "a.toml")

    assert told.startswith("a.toml: cannot be read: No such file or directory; ")


def test_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.toml").mkdir()

    assert refused(tmp_path / "a.toml") == "a.toml: cannot be read: Is a directory"


def test_an_unreadable_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(os, "open", denied)  # root may read everything

    assert refused(tmp_path / "a.toml") == "a.toml: cannot be read: Permission denied"


def test_a_name_with_a_nul_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="invalid file name"):
        read(tmp_path / "a\0b")


class Mode(StrEnum):
    FAST = "fast"
    SLOW = "slow"


class Table(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Inner(Table):
    timeout: float = Field(
        1.0, gt=0, le=300, allow_inf_nan=False, description="Time limit of one request, connection included."
    )
    retries: int = Field(0, ge=0)
    names: list[str] = Field([], min_length=1, max_length=3)
    mode: Mode = Mode.FAST
    reads: Literal["target", "record"] = "target"
    path: str = Field("/", pattern=r"^/\S*$", description="a path")
    host: str = Field("a", pattern=r"^[a-z]+$")
    why: str = Field("because", min_length=3, max_length=20)
    on: bool = False
    sure: Annotated[str, BeforeValidator(lambda value: value)] = ""

    @field_validator("sure")
    @classmethod
    def _is_sure(cls, value: str) -> str:
        if value == "no":
            message = "be sure"
            raise ValueError(message)
        return value


class Outer(Table):
    name: str
    alias_: int = Field(0, alias="alias")
    token: Inner | None = Field(None, description="where it is kept")
    by_name: dict[str, Inner] = {}
    many: tuple[Inner, ...] = ()
    deep: dict[str, list[Inner]] | None = None


def problems(error, model, toml: str, prefix=()) -> list[FileProblem]:
    """What pydantic found in a file p.toml of this text."""
    origin = Origin(file=Path("p.toml"), text=toml)
    complain = Complaints(origins=Origins(document=Node(value={}, origin=origin)))
    complain.of_model(error, model, prefix)
    return complain.found


def said(toml: str) -> list[str]:
    """What is said of the text of a file p.toml."""
    with pytest.raises(ValidationError) as caught:
        Outer.model_validate(parse(toml, Path("p.toml")))
    return [str(problem) for problem in problems(caught.value, Outer, toml)]


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        (
            "timout = 1",
            ("unknown key; did you mean 'timeout'?"),
        ),
        ("timeout = 0", "0, expected more than 0 (Time limit of one request, connection included)"),
        ("timeout = 301.5", "301.5, expected at most 300 (Time limit of one request, connection included)"),
        ("timeout = nan", "nan, expected a finite number (Time limit of one request, connection included)"),
        ('timeout = "hunter2"', "a text, expected a number (Time limit of one request, connection included)"),
        ("retries = -1", "-1, expected at least 0"),
        ("retries = 1.5", "1.5, expected a whole number"),
        ("retries = []", "a list, expected a whole number"),
        ("names = []", "too short, expected at least 1 entry"),
        ('names = "hunter2"', "a text, expected a list"),
        ('names = ["a", "b", "c", "d"]', "a list of 4 entries, expected at most 3 entries"),
        ('why = "hunter2hunter2hunter2"', "a text of 21 characters, expected at most 20 characters"),
        ("names = { a = 1 }", "a table, expected a list"),
        ("names = [12345]", "a number, expected a text"),
        ("names = [1979-05-27]", "a date or time, expected a text"),
        ('mode = "fats"', "'fats', expected 'fast' or 'slow'; did you mean 'fast'?"),
        ("mode = true", "true, expected 'fast' or 'slow'"),
        ('reads = "Record"', "'Record', expected 'target' or 'record'; did you mean 'record'?"),
        ('reads = "hunter2 is a secret of forty characters"', "a text, expected 'target' or 'record'"),
        ('path = "hunter2"', r"wrong format, expected a text that matches ^/\S*$ (a path)"),
        ('host = "hunter2"', "wrong format, expected a text that matches ^[a-z]+$"),
        ('why = "pw"', "too short, expected at least 3 characters"),
        ('on = "hunter2"', "a text, expected true or false"),
        ('sure = "no"', "be sure"),
    ],
)
def test_a_mistake_is_told_in_our_words(entry: str, told: str) -> None:
    (key,) = parse(entry, Path())
    number = ".0" if "names = [1" in entry else ""

    lines = said(f'name = "x"\n[by_name.b]\n{entry}\n')

    assert lines == [f"p.toml:3: by_name.b.{key}{number}: {told}"]


@pytest.mark.parametrize(
    ("toml", "told"),
    [
        ("", "p.toml: name: missing; this setting is required"),
        ("name = 12345", "p.toml:1: name: a number, expected a text"),
        (
            'name = "x"\nalais = 1',
            ("p.toml:2: alais: unknown key; did you mean 'alias'?"),
        ),
        ('name = "x"\ntoken = "hunter2"', "p.toml:2: token: a text, expected a table (where it is kept)"),
        ('name = "x"\n[[many]]\n[[many]]\non = 2', "p.toml:4: many.1.on: a number, expected true or false"),
        (
            'name = "x"\ndeep.a = [\n{},\n{ retries = "" }]',
            "p.toml:4: deep.a.1.retries: a text, expected a whole number",
        ),
    ],
)
def test_a_mistake_is_found_wherever_it_stands(toml: str, told: str) -> None:
    assert said(toml) == [told]


@pytest.mark.parametrize(
    "place",
    ["[token]\n{}", "[[many]]\n{}", "[by_name.x]\n{}", "[[deep.x]]\n{}"],
    ids=["model", "list", "table", "both"],
)
def test_an_unknown_key_is_answered_with_those_of_its_own_table(place: str) -> None:
    (line,) = said('name = "x"\n' + place.format("retires = 1"))

    assert line.startswith("p.toml:3: ")
    assert line.endswith("; did you mean 'retries'?")


def test_a_part_of_a_file_is_told_under_its_prefix() -> None:
    toml = "[env.prod.probes.health]\nkind = 1\ntimeout = 0\n"
    with pytest.raises(ValidationError) as caught:
        Inner.model_validate({"timeout": 0})

    (problem,) = problems(caught.value, Inner, toml, ("env", "prod", "probes", "health"))

    assert (
        str(problem) == "p.toml:3: env.prod.probes.health.timeout: 0, "
        "expected more than 0 (Time limit of one request, connection included)"
    )


def test_problems_stand_in_the_order_of_the_file() -> None:
    lines = said("[token]\nretries = -1\n[by_name.x]\non = 3\n[by_name.a]\non = 3\n")

    assert [line.partition(": ")[0] for line in lines] == ["p.toml", "p.toml:2", "p.toml:4", "p.toml:6"]


JSON: Any = st.recursive(
    st.just("hunter2") | st.just("x-hunter2-" + "x" * 40),
    lambda inner: st.lists(inner) | st.dictionaries(st.just("on"), inner),
)


@pytest.mark.heavy
@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(["token", "by_name", "many", "deep", "alias"]), JSON, min_size=1))
def test_what_was_written_is_never_repeated(document: dict[str, Any]) -> None:
    try:
        Outer.model_validate({"name": "x"} | document)
    except ValidationError as error:
        told = "\n".join(str(problem) for problem in problems(error, Outer, ""))
    else:
        told = ""

    assert "hunter2" not in told


def test_every_problem_is_one_line_whatever_its_key() -> None:
    problem = FileProblem(file=Path("p.toml"), line=3, key="a\nb\x1b[2J", found="x", expected="y", hint="z")

    assert str(ConfigError([problem, problem])) == "\n".join([r"p.toml:3: a\nb\x1b[2J: x, expected y; z"] * 2)


def test_what_was_written_is_shortened() -> None:
    problem = FileProblem(file=Path("p.toml"), line=None, key="a" * 9999, found="x" * 9999, expected="y")

    assert str(problem) == f"p.toml: {'a' * 200} ...: {'x' * 200} ..., expected y"


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("timout", "; did you mean 'timeout'?"),
        ("TIMEOUT", "; did you mean 'timeout'?"),
        ("xyz", ""),
        ("", ""),
    ],
)
def test_the_nearest_name_ends_a_sentence(word: str, told: str) -> None:
    assert nearest(word, ["timeout", "retries"]) == told


@pytest.mark.servers
@pytest.mark.parametrize(
    ("code", "unwanted"),
    [
        ("import probekit.toml_file", {"pydantic", "tree_sitter"}),
        ("import probekit.checklist; probekit.checklist.load('softfactory')", {"tree_sitter", "httpx", "asyncio"}),
    ],
)
def test_what_only_a_mistake_needs_is_not_imported_without_one(code: str, unwanted: set[str]) -> None:
    command = [sys.executable, "-c", f"{code}; import sys; print(*sys.modules)"]

    done = subprocess.run(command, capture_output=True, text=True, check=True)

    assert not unwanted & set(done.stdout.split())


@pytest.mark.parametrize(
    ("number", "is_read"),
    [
        (str(2**63 - 1), True),
        (str(-(2**63)), True),
        (str(2**63), False),
        (str(-(2**63) - 1), False),
        ("9" * 401, False),  # float() does not survive it
        (f"0x{'f' * 5000}", False),  # str() does not survive it
    ],
    ids=["largest", "smallest", "too large", "too small", "401 digits", "5,000 hexadecimal digits"],
)
def test_an_integer_has_64_bits(number: str, is_read: bool) -> None:  # noqa: FBT001  # a row of the table
    text = f"a = 1\n[[b]]\nc = [\n  0,\n  {number},\n]\n"

    if is_read:
        assert parse(text, Path("a.toml"))["b"][0]["c"][1] == int(number)
    else:
        with pytest.raises(ConfigError) as caught:
            parse(text, Path("a.toml"))

        assert str(caught.value) == "a.toml:5: number too large, expected an integer of 64 bits"


@pytest.mark.parametrize("end", ["", "\n", "\n\n\n", "\r\n\r\n"])
def test_an_end_that_comes_too_early_is_told_with_the_last_written_line(end: str) -> None:
    with pytest.raises(ConfigError, match=r"^a\.toml:2: TOML syntax error, end of file: "):
        parse(f'a = 1\nb = """open{end}', Path("a.toml"))


def test_a_device_without_an_end_is_not_read_to_it() -> None:
    with pytest.raises(ConfigError, match="larger than 1 MiB"):
        read(Path("/dev/zero"))


@given(data=st.binary() | st.text().map(str.encode))
def test_any_bytes_are_a_document_or_a_config_error(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = written(tmp_path_factory.getbasetemp() / "any.toml", data)

    try:
        document = read(path)
    except ConfigError as error:
        document = {}
        assert "any.toml" in str(error)  # noqa: PT017  # either is right

    assert isinstance(document, dict)


@given(names=st.lists(st.text(alphabet="ab.\"'\\ ö\t", max_size=4), unique=True, min_size=1, max_size=6))
def test_a_key_has_a_line_whatever_its_name(names: list[str]) -> None:
    quoted = [name.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t") for name in names]
    text = "\n".join(f'"{name}" = {number}' for number, name in enumerate(quoted))

    lines = [line_of(text, [name]) for name in names]

    assert lines == list(range(1, len(names) + 1))


@pytest.mark.parametrize(
    "entry",
    [
        "token = 'hunter2'",
        "token = ['hunter2']",
        "token = { timeout = 'hunter2' }",
        "token = { timeout = ['hunter2'] }",
        "token = { names = 'hunter2' }",
        "token = { mode = ['hunter2'] }",
        "token = { mode = 'one that is longer than a word, then hunter2' }",
        "token = { host = 'hunter2' }",
        "token = { password = 'hunter2' }",
        "token = { on = { a = 'hunter2' } }",
        "by_name = { a = 'hunter2' }",
        "many = ['hunter2']",
        "many = 'hunter2'",
        "alias = 'hunter2'",
        "password = 'hunter2'",
        "password = { is = ['hunter2'] }",
    ],
)
def test_a_secret_in_a_wrong_place_is_never_repeated(entry: str) -> None:
    lines = said(f"name = 'x'\n{entry}")

    assert [line for line in lines if not line.startswith("p.toml:2: ")] == []
    assert "hunter2" not in "\n".join(lines)


def test_a_file_is_parsed_once_for_the_lines_of_a_configuration_in_many_files(monkeypatch) -> None:
    """33 files and a checklist may be asked in turn, for each of a thousand mistakes."""
    texts = [f"[number{number}]\na = 1\n" for number in range(34)]
    parser = Mock(wraps=tree_sitter.Parser)
    monkeypatch.setattr(tree_sitter, "Parser", parser)

    for _ in range(2):
        assert [line_of(text, (f"number{number}", "a")) for number, text in enumerate(texts)] == [2] * 34

    assert parser.call_count == 34
