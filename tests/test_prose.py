"""The project's prose is plain technical English: one table of banned words, held over every text that people read."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from probekit import probes
from probekit.cli import program
from probekit.config.schema import schema

ROOT = Path(__file__).parents[1]

INSTEAD_OF = {
    r"we|us|ours?": "the target, probekit, this process, the runner",
    r"whoever|nobody|whichever": "name who or what it is",
    r"told|said": "states, reports, names, is given",
    r"beside": "next to, in addition to",
    r"amid|on wish|meanwhile|anew": "during, if requested, since then, again",
    r"mend(?:s|ed|ing)?": "fix",
    r"trouble": "a failure, a problem",
    r"grave|graver|gravest|gravely": "critical, most severe",
    r"sick|well-being": "unhealthy",
    r"(?:un)?prov(?:e|es|ed|en|ing)|unverified": "shows, passes, verifies; not verified",
    r"turn(?:s|ed)?(?: (?:us|it|them|one))? (?:away|down)": "access denied, refused",
    r"speaks? (?:of|for)|knows? (?:of|nothing)": "covers, applies to, has",
    r"(?:comes?|came) to be": "becomes, is",
    r"that can be(?=[.,;:)]|$)": "valid",
    r"(?<!there )(?:is|are|was|were) no(?! (?:longer|more|less|later|earlier|older|newer|greater|smaller|fewer))": (
        "is not a"
    ),
    r"narrowed": "partial",
    r"vouch(?:es|ed)?": "covers, confirms",
    r"spoil(?:s|t|ed)?": "invalid, damaged",
    r"wish(?:es|ed)?": "request, option",
    r"strangers?|newcomers?": "a first-time user, another system",
    r"looks?(?= ?(?:[,.;:)]|$|of|that|is|are|taken))": "measurement",
}  # fmt: skip
BANNED = re.compile(
    "|".join(rf"(?P<b{n}>\b(?:{words}))(?![\w-])" for n, words in enumerate(INSTEAD_OF)), re.IGNORECASE | re.MULTILINE
)
EXEMPT = ("narrowed INTEGER", "RENAME COLUMN narrowed")  # SQL of databases that exist
DOCUMENTS = (
    "README.md",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "docs/*.md",
    "examples/**/*",
)
TEXTS = [path for glob in DOCUMENTS for path in ROOT.glob(glob) if path.is_file()]


def hits(text: str) -> Iterator[str]:
    """Each banned word in a text, with its sentence and what to write instead."""
    for found in BANNED.finditer(text):
        instead = list(INSTEAD_OF.values())[int((found.lastgroup or "b0")[1:])]
        around = " ".join(text[max(0, found.start() - 50) : found.end() + 50].split())
        if not any(words in around for words in EXEMPT):
            yield f"{text.count(chr(10), 0, found.start()) + 1}: {found[0]!r} ({instead}): ...{around}..."


def texts_of(module: Path) -> Iterator[tuple[int, str]]:
    """The docstrings, comments and texts of a module, with their lines; a text of one word is an identifier."""
    source = module.read_text("utf-8")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value.strip():
            yield node.lineno, node.value
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def hits_in_module(module: Path) -> list[str]:
    return [f"{module}:{line}+{hit}" for line, text in texts_of(module) for hit in hits(text)]


def commands(command: click.Command, path: str = "probekit") -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        for name in command.list_commands(click.Context(command)):
            inner = command.get_command(click.Context(command), name)
            assert inner is not None
            yield from commands(inner, f"{path} {name}")


def descriptions(node: object) -> Iterator[str]:
    """Every description in a JSON schema."""
    if isinstance(node, dict):
        if isinstance(node.get("description"), str):
            yield node["description"]
        for inner in node.values():
            yield from descriptions(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from descriptions(inner)


def test_no_text_of_the_code_has_a_banned_word() -> None:
    modules = sorted((ROOT / "src").rglob("*.py"))

    assert len(modules) > 300
    assert [hit for module in modules for hit in hits_in_module(module)] == []


def test_no_line_of_the_checklist_has_a_banned_word_but_the_document_s_own() -> None:
    """Ids stay as they are, and `text` is the document's own line."""
    files = sorted((ROOT / "src/probekit/data").rglob("*.toml"))
    own = re.compile(r"^(?:id|text|document_text) = .*$", re.MULTILINE)

    assert len(files) > 5
    assert [f"{file.name}:{hit}" for file in files for hit in hits(own.sub("", file.read_text("utf-8")))] == []


def test_no_module_s_docstring_is_a_question() -> None:
    docstrings = {path: ast.get_docstring(ast.parse(path.read_text("utf-8"))) for path in (ROOT / "src").rglob("*.py")}

    assert [path for path, text in docstrings.items() if text and text.split("\n\n")[0].rstrip().endswith("?")] == []


@pytest.mark.parametrize("name", sorted(str(path.relative_to(ROOT)) for path in TEXTS))
def test_no_document_has_a_banned_word(name) -> None:
    assert list(hits((ROOT / name).read_text("utf-8"))) == []


def test_no_help_has_a_banned_word() -> None:
    helps = {path: command.get_help(click.Context(command, info_name=path)) for path, command in commands(program)}

    assert len(helps) > 15
    assert {path: found for path, text in helps.items() if (found := list(hits(" ".join(text.split()))))} == {}


def test_no_description_of_a_setting_has_a_banned_word() -> None:
    found = list(descriptions(schema()))

    assert len(found) > 100
    assert [hit for text in found for hit in hits(text)] == []


def test_every_setting_and_metric_is_described_in_a_sentence() -> None:
    """An editor shows a description where its key is hovered over: no rest of a sentence that begins elsewhere."""
    kinds = {name: probes.load_kind(name) for name in probes.kind_names()}
    texts = {
        **{f"{name}.{key}": field.description for name, kind in kinds.items() for key, field in _fields(kind).items()},
        **{f"{name}: {metric.name}": metric.help for name, kind in kinds.items() for metric in kind.metrics},
        **{f"{name}: safety": kind.safety for name, kind in kinds.items()},
        **{text: text for text in descriptions(schema())},
    }

    assert len(texts) > 200
    assert {name: text for name, text in texts.items() if not is_sentence(text or "")} == {}


def _fields(kind):
    return {key: field for key, field in kind.config.model_fields.items() if key != "kind"}


def is_sentence(text: str) -> bool:
    return re.fullmatch(r"[A-Z\d'\"`].*[.]", text.strip(), re.DOTALL) is not None


@pytest.mark.parametrize(
    "text",
    ["Whatever it told us.", "no port that can be", "it is no URL", "a look, again", "5 min to prove it", "our own"],
)
def test_the_table_finds_what_it_bans(text) -> None:
    assert list(hits(text))


@pytest.mark.parametrize(
    "text", ["there is no probe", "it is no longer served", "look at the answer", "recommended", "look-ahead", "a bus"]
)
def test_the_table_leaves_plain_english_alone(text) -> None:
    assert list(hits(text)) == []
