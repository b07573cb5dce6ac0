"""examples/README.md names every example, and no example names a real host."""

from __future__ import annotations

import re

from pipelines import EXAMPLES

FILES = sorted(path for path in EXAMPLES.rglob("*") if path.is_file())
PAGE = (EXAMPLES / "README.md").read_text("utf-8")
NEUTRAL = re.compile(r"(?:.*\.)?example\.(?:com|net)|github\.com/OWNER")


def test_the_page_names_every_example() -> None:
    linked = set(re.findall(r"\]\(([^)#:]+)\)", PAGE))

    assert len(FILES) > 6
    assert linked == {str(path.relative_to(EXAMPLES)) for path in FILES} - {"README.md"}


def test_no_example_names_a_real_host_or_owner() -> None:
    found = [(path.name, url) for path in FILES for url in re.findall(r"https?://[^\s\"'`)]+", path.read_text("utf-8"))]

    assert len(found) > 5
    assert [one for one in found if not re.match(rf"https?://(?:{NEUTRAL.pattern})(?:[/@]|$)", one[1])] == []


def test_no_line_is_longer_than_120_columns() -> None:
    long = [
        (path.name, number)
        for path in FILES
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if len(line) > 120 and path.suffix != ".md"  # rows of a table
    ]

    assert long == []
