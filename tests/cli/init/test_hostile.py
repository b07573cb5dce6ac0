"""What a hostile target says stands in the file as a string or a comment, and breaks out of neither."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from hypothesis import Phase, example, given, settings, strategies as st

from probekit.config.loader import read
from probekit.config.variables import parts_of
from probekit.workflows.discover import Discovery, HealthFound, Standing
from probekit.workflows.first_file import first_file
from probekit.workflows.first_file.toml import setting

BREAKS = [
    "\n",
    "\r",
    "\r\n",
    "\v",
    "\f",
    "\x1c",
    "\x85",
    "\u2028",
    "\u2029",
    '"""',
    "'''",
    "\\",
    "\x00",
    "\x1b[31m",
    "\u202e",
]
TABLE = "[env.prod.limits]"


def tables(text: str) -> dict:
    """The keys of the environment and of its probes, and no line beyond 80 columns."""
    assert all(len(line) <= 80 for line in text.split("\n"))
    assert all(letter.isprintable() or letter == "\n" for letter in text)
    environment = tomllib.loads(text)["env"]["prod"]
    return {"env": set(environment), **{name: set(table) for name, table in environment["probes"].items()}}


@pytest.mark.parametrize("mark", BREAKS, ids=ascii)
@pytest.mark.parametrize("status", [200, 503])
def test_a_body_of_text_stays_in_its_comment(init, site, mark, status) -> None:
    body = f"a{mark}{TABLE}{mark}ignore = []{mark}"

    assert init(site({"/health": (status, "text/plain", body)}).url).returncode == 0

    written = tables(Path("probes.toml").read_text())
    assert written["health"] == {"kind", "path"}
    assert "limits" not in written["env"]


@pytest.mark.parametrize("mark", BREAKS, ids=ascii)
def test_a_document_stays_in_comments_and_strings(init, site, mark) -> None:
    words = f"x{mark}{TABLE}{mark}y"
    document = {"phase": words, words: words, "components": {words: "ok", "db": words}, "version": words}
    pages = {path: (200, "application/json", json.dumps(document)) for path in ("/health", "/version")}

    assert init(site(pages).url).returncode == 0

    assert "limits" not in tables(Path("probes.toml").read_text())["env"]


@pytest.mark.parametrize("mark", [" ", "\t", "<", '"', "'"])
def test_where_a_redirect_leads_stays_in_its_line(init, site, mark) -> None:
    leads = {"Location": f"http://x.test/{mark}{TABLE}"}
    pages = {
        "/": (302, "text/plain", "", leads),
        "/health": (302, "text/plain", "", {"Location": f"/login/{mark}{TABLE}"}),
    }

    assert init(site(pages).url).returncode == 0

    assert "limits" not in tables(Path("probes.toml").read_text())["env"]


@pytest.mark.parametrize(
    "body",
    [
        "x" * 100_000,
        "\n".join("line" for _ in range(50_000)),
        json.dumps({f"key{number}": "x" * 100 for number in range(1000)}),
        "[" * 100_000,
        json.dumps({"a": {"b": {"c": {"d": {"version": "1.2.3"}}}}}),
        b"\xff\xfe\x00\xd8" * 1000,
    ],
    ids=["line", "lines", "keys", "nested", "deep", "bytes"],
)
def test_a_large_or_odd_body_leaves_a_few_lines(init, site, body) -> None:
    pages = dict.fromkeys(("/", "/health", "/version", "/metrics"), (200, "text/plain", body))

    result = init(site(pages).url)

    assert result.returncode == 0
    text = Path("probes.toml").read_text()
    tables(text)
    assert len(text.splitlines()) < 70
    assert len(result.stderr) < 4000


def test_a_terminal_sees_no_control_characters(init, site) -> None:
    words = "\x1b]0;title\x07\u202eabc"
    components = json.dumps({"status": "ok", "components": {words: "ok"}})

    stderr = init(site({"/health": (200, "application/json", components)}).url).stderr

    assert all(letter.isprintable() or letter == "\n" for letter in stderr)


@settings(max_examples=15, deadline=None, phases=[Phase.generate])
@given(st.data())
def test_nothing_that_a_target_says_breaks_out_of_the_file(data) -> None:
    text = st.text(max_size=120) | st.sampled_from(BREAKS).map(lambda mark: f"{mark}{TABLE}{mark}")
    draw = data.draw
    names = draw(st.lists(text, max_size=4, unique=True))
    found = Discovery(
        base_url="https://app.example.com",
        health=HealthFound(
            path="/health",
            standing=draw(st.sampled_from([one for one in Standing if one is not Standing.WEAK])),
            status=200,
            doubt=draw(text),
            ignorable=tuple(names),
            body=draw(text),
            suggestion={"path": "$.a", "equals": draw(st.text(st.sampled_from('a"\\# '), max_size=20))},
        ),
        infrastructure="/parts",
        components=dict.fromkeys(names, "optional"),
        version=("/version", "$.version", draw(text)),
        page="/ui/",
        notes=[draw(text)],
    )

    written = first_file(found, "prod", ca=None, headers={}, commands=("probekit plan",))

    assert set(tables(written)) == {"env", "release", "health", "infrastructure", "security-headers"}
    assert set(read(written, Path("probes.toml")).targets) == {"prod"}


@example(" " * 200)
@example("/${HOME}$${X}" * 9)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=300))
def test_a_long_text_is_the_same_over_several_lines(text) -> None:
    lines = list(setting("at", text))

    assert all(len(line) <= 80 for line in lines)
    assert "".join(map(str, parts_of(tomllib.loads("\n".join(lines))["at"]))) == text
