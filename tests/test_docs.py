"""The documents hold: links lead somewhere, examples load, command lines parse, and each page is in the site."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_lines import named_command, parse, simple_commands, words_of

from probekit import checklist
from probekit.config.loader import load

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.glob("*.md"), *ROOT.glob("examples/*.md")])
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]
TEXTS = {name: page.read_text("utf-8") for name, page in zip(NAMES, PAGES, strict=True)}
EXAMPLES = [name for name in NAMES if name == "README.md" or name.startswith(("docs/", "examples/"))]
HEAD = '[env.prod]\nbase_url = "https://app.test"\nscope = ["deploy", "post"]\nallow = ["canary-write", "load"]\n\n'
CODE = re.compile(r"^```.*?^```|`[^`\n]+`", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)\s#]*)(?:#([^)\s]+))?\)")


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings, as the site and a code host write them."""
    prose = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    headings = re.findall(r"^#{1,6} +(.+?)\s*$", prose, re.MULTILINE)
    plain = [re.sub(r"[^\w\s-]", "", re.sub(r"\]\([^)]*\)", "]", heading)).strip().lower() for heading in headings]
    return {re.sub(r"\s", "-", heading) for heading in plain}


@pytest.mark.parametrize("name", NAMES)
def test_every_link_leads_to_a_file_and_a_heading(name) -> None:
    links = LINK.findall(CODE.sub("", TEXTS[name]))
    here = ROOT / name
    files = [(here.parent / path if path else here, anchor) for path, anchor in links]

    assert [str(file) for file, _ in files if not file.exists()] == []
    marked = [(file, anchor) for file, anchor in files if anchor]
    assert [(file.name, anchor) for file, anchor in marked if anchor not in anchors(file.read_text("utf-8"))] == []


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("docs/")])
def test_a_page_of_the_site_links_to_nothing_outside_of_it(name) -> None:
    links = [path for path, _ in LINK.findall(CODE.sub("", TEXTS[name])) if path]

    assert [path for path in links if not (DOCS / path).resolve().is_relative_to(DOCS)] == []


def test_the_site_has_every_page_in_its_navigation() -> None:
    nav = tomllib.loads((ROOT / "zensical.toml").read_text("utf-8"))["project"]["nav"]
    listed = [page for section in nav for pages in section.values() for entry in pages for page in entry.values()]

    assert sorted(listed) == sorted(page.name for page in DOCS.glob("*.md"))


def toml_blocks(name: str) -> Iterator[tuple[str, str]]:
    """Each TOML block of a page, and the file's name where a mark before it has one."""
    yield from re.findall(r"(?:<!-- (\S+) -->\n)?```toml\n(.*?)```", TEXTS[name], re.DOTALL)


BLOCKS = [(name, number) for name in EXAMPLES for number, _ in enumerate(toml_blocks(name))]


@pytest.mark.parametrize(("name", "number"), BLOCKS)
def test_every_example_of_configuration_loads(tmp_path, name, number) -> None:
    blocks = list(toml_blocks(name))
    mark, block = blocks[number]
    for other, text in blocks:
        if text.startswith("schema = 1"):
            (tmp_path / "shop.toml").write_text(text, "utf-8")
        elif other.endswith(".toml"):
            (tmp_path / other).write_text(text, "utf-8")
    if block.startswith("schema = 1"):
        assert checklist.load(tmp_path / "shop.toml").items
        return
    if mark.endswith(".toml") and mark != "probes.toml":
        assert any(f'"{mark}"' in text for _, text in blocks), f"no block includes {mark}"
        return

    (tmp_path / "probes.toml").write_text(block if "base_url = " in block else HEAD + block, "utf-8")

    assert load(tmp_path / "probes.toml").targets


def test_there_are_examples_and_commands() -> None:
    assert len(BLOCKS) > 20
    assert len(LINES) > 30


def shell_commands(text: str) -> Iterator[str]:
    """Each simple command of the shell and cron blocks of a page."""
    for block in re.findall(r"```(?:sh|console|cron)\n(.*?)```", text, re.DOTALL):
        yield from simple_commands(block)


LINES = [
    (name, command) for name in EXAMPLES for command in shell_commands(TEXTS[name]) if command.startswith("probekit ")
]


@pytest.mark.parametrize(("name", "line"), LINES)
def test_every_command_line_parses(name, line) -> None:
    parse(words_of(line)[1:])  # UsageError where an option or an argument is wrong


def known_options(words: list[str]) -> set[str]:
    """The options of the command that the first of these words name."""
    command, _ = named_command(words)
    return {option for one in command.params for option in (*one.opts, *one.secondary_opts)} | {"--help"}


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_prose_names_options_that_exist(name) -> None:
    prose = re.sub(r"^```.*?^```", "", TEXTS[name], flags=re.DOTALL | re.MULTILINE)
    quoted = [text.split() for text in re.findall(r"`probekit ([^`\n]+)`", prose)]
    unknown = [
        (" ".join(words), word)
        for words in quoted
        for word in words
        if word.startswith("--") and word.partition("=")[0] not in known_options(words)
    ]

    assert unknown == []


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_target_of_make_is_in_the_makefile(name) -> None:
    named = [command.split()[1] for command in shell_commands(TEXTS[name]) if command.startswith("make ")]
    named += re.findall(r"`make ([a-z-]+)[^`]*`", TEXTS[name])
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)

    assert set(named) <= set(targets)
