"""Real configuration files with mistakes in them: each made by one seeded draw of the ways to spoil a file."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
PAGES: Final = (
    "README.md",
    *(f"docs/{name}.md" for name in ("assertions", "checklist", "kinds", "people", "record", "scope")),
)
_HEAD: Final = '[env.prod]\nbase_url = "https://app.test"\nscope = ["deploy", "post"]\n\n'
_INIT: Final = """\
# What `probekit init` saw of https://app.test. Next:
#   probekit verify --env prod --no-settle

[env.prod]
base_url = "https://app.test"
scope = [             # what this environment is held to
    "pre.security.tls-days-left",
    "deploy.services.settle-time",
    "deploy.services.health-endpoint",
]
control = []
settle = "30s"
vantage = "runner"

[env.prod.probes.release]
kind = "release"
path = "/health"
at = "$.version"

[env.prod.probes.health]
kind = "http"
path = "/health"
assertions = [{ path = "$.status", one_of = ["ok", "up"] }, { status = [200, 204] }]
"""
_COMPOSED: Final = """\
include = ["common.toml"]

[env.prod]
base_url = "https://${HOST:-app.test}"
scope = ["deploy.services", "pre.security.tls-days-left"]
timeout = "${TIMEOUT:-5s}"
budget = "${BUDGET:-200}"
allow = ["load"]
page = { critical = ["on_call"] }

[env.prod.probes.health]
kind = "http"
path = "/health"
repeat = "${REPEAT:-8}"

[env.prod.probes.cache.sessions]
kind = "redis"
url = { env = "CACHE_URL" }

[env.prod.probes.cache.pages]
kind = "redis"
url = { env = "PAGES_URL" }

[env.staging]
inherits = "prod"
base_url = "https://staging.${HOST:-app.test}"
without_probes = ["cache.pages", "release"]
connect = { headers = { X-Key = { file = "key" } } }

[env.staging.probes.health]
path = "/up"

[env.review]
inherits = "staging"
base_url = "https://review.app.test"
without_probes = ["cache"]
"""
_COMMON: Final = """\
[defaults]
control = ["https://status.example.net/ok"]
vantage = "${RUNNER_PLACE:-a laptop} $${7}"
contacts = { on_call = "the operators", escalation = { name = "the owner", contact = "owner@example.com" } }

[defaults.connect]
headers = { X-Key = { env = "PROBE_KEY" } }

[defaults.probes.health]
kind = "http"
path = "/"

[probes.release]
kind = "release"
path = "/api/version"
"""
_COMPOSED_NAMES: Final = ("probes.toml",) * 6 + ("common.toml",) * 4  # the files that are spoilt, by their share
_VALUES: Final = (
    "1", "-1", "0", "1.5", "1e400", "nan", "-inf", "9" * 30, "9" * 6000, f"0x{'f' * 400}", "1_000_000_000_000_000_000",
    '""', '"x"', "'a b'", '"5m"', '"-5m"', '"1e99s"', f'"{"9" * 400}d"', "true", "[]", "[1]", '["a", 1]', "[[]]", "{}",
    '{ env = "A" }', '{ file = "no.key" }', '{ file = "/" }', "{ env = 1 }", "{ a = { b = {} } }", "1979-05-27",
    "07:32:00", "1979-05-27T07:32:00Z", '"""\nlines\n"""', '"\\u0000"', '"\\u001b[2J"', '"\\u202e"', '"/\\u0000"',
    f'"{"x" * 20_000}"', "[" * 60 + "]" * 60, "[" * 3000 + "]" * 3000, "{a=" * 60 + "1" + "}" * 60, '"$["', '"("',
    '"https://"', '"https://[::1"', '"https://user:hunter2@app.test"', '"https://app.test:99999"', '"file:///etc"',
    '"${A}"', '"${A:-1}"', '"${"', '"$${A}"', '"${A:-${B}}"', '["cache.x"]', '["health.path", 3]', '"prod"', '"review"',
)  # fmt: skip
_BYTES: Final = (b"\xff", b"\xc3", b"\x00", b"\x1b[31m", b"\r", b"\xef\xbb\xbf", b"\xed\xa0\x80", "\u202e".encode())
_PAIR: Final = re.compile(r'^(\s*)([\w".-]+)(\s*=\s*)(.+)$')

_ENCODED_SHARE: Final = 0.15

Dice = random.Random
Lines = list[str]


@dataclass(frozen=True)
class Example:
    """A file as it stands, and the checklist beside it."""

    name: str  # of the file that is spoilt
    files: Mapping[str, str]


def examples() -> tuple[Example, ...]:
    """Those of the documents, the demo's file, a first file, that of the loader's tests, and one of two files."""
    blocks = [
        text for page in PAGES for text in re.findall(r"```toml\n(.*?)```", (ROOT / page).read_text("utf-8"), re.DOTALL)
    ]
    checklists = {"shop.toml": next(text for text in blocks if text.startswith("schema = 1"))}
    checklists["checklist.toml"] = (ROOT / "tests" / "data" / "checklist.toml").read_text("utf-8")
    files = [(ROOT / name).read_text("utf-8") for name in ("probes.toml", "tests/data/probes.toml")]
    texts = [text if "\nbase_url" in text else _HEAD + text for text in blocks if text not in checklists.values()]
    of_a_checklist = next(text for text in texts if text.startswith('checklist = "shop.toml"'))
    return (
        *(Example("probes.toml", {**checklists, "probes.toml": text}) for text in (*texts, *files, _INIT)),
        *(Example("shop.toml", {**checklists, "probes.toml": of_a_checklist}) for _ in range(3)),
        *(Example(name, {"common.toml": _COMMON, "probes.toml": _COMPOSED}) for name in _COMPOSED_NAMES),
    )


def mutation(number: int, known: Sequence[Example]) -> tuple[str, dict[str, bytes]]:
    """The name of the spoilt file and all files of that number, the same in every run."""
    dice = random.Random(number)
    example = dice.choice(known)
    lines = example.files[example.name].split("\n")
    for _ in range(dice.choice((1, 1, 1, 2, 3))):
        lines = dice.choice(_WAYS)(lines, dice)
    data = "\n".join(lines).encode("utf-8", "surrogatepass")
    data = dice.choice(_ENCODED)(data, dice) if dice.random() < _ENCODED_SHARE else data
    return example.name, {name: text.encode() for name, text in example.files.items()} | {example.name: data}


def _deleted(lines: Lines, dice: Dice) -> Lines:
    at = dice.randrange(len(lines))
    return [*lines[:at], *lines[at + dice.randint(1, 3) :]] or [""]


def _doubled(lines: Lines, dice: Dice) -> Lines:
    at = dice.randrange(len(lines))
    return [*lines[: at + 1], *lines[at:]]


def _swapped(lines: Lines, dice: Dice) -> Lines:
    one, other, lines = dice.randrange(len(lines)), dice.randrange(len(lines)), [*lines]
    lines[one], lines[other] = lines[other], lines[one]
    return lines


def _at_a_pair(lines: Lines, dice: Dice, change: Callable[[re.Match[str]], str]) -> Lines:
    pairs = [(at, found) for at, line in enumerate(lines) if (found := _PAIR.match(line))]
    if not pairs:
        return lines
    at, found = dice.choice(pairs)
    return [*lines[:at], *change(found).split("\n"), *lines[at + 1 :]]


def _other_value(lines: Lines, dice: Dice) -> Lines:
    return _at_a_pair(lines, dice, lambda pair: f"{pair[1]}{pair[2]}{pair[3]}{dice.choice(_VALUES)}")


def _value_of_another(lines: Lines, dice: Dice) -> Lines:
    values = [found[4] for line in lines if (found := _PAIR.match(line))]
    return _at_a_pair(lines, dice, lambda pair: f"{pair[1]}{pair[2]}{pair[3]}{dice.choice(values)}")


def _misspelt(lines: Lines, dice: Dice) -> Lines:
    def change(pair: re.Match[str]) -> str:
        key, at = pair[2], dice.randrange(len(pair[2]))
        wrong = dice.choice((key[:at] + key[at + 1 :], key[:at] + key[at:][:1] * 2 + key[at + 1 :], key.upper(), ""))
        return f"{pair[1]}{wrong}{pair[3]}{pair[4]}"

    return _at_a_pair(lines, dice, change)


def _table_for_value(lines: Lines, dice: Dice) -> Lines:
    form = dice.choice(("[{0}]\nx = {1}", "[[{0}]]", "{0}.x = {1}", "{0} = {{ x = {1} }}", "{0} = [{1}, {1}]"))
    return _at_a_pair(lines, dice, lambda pair: form.format(pair[2], pair[4]))


def _value_for_table(lines: Lines, dice: Dice) -> Lines:
    tables = [at for at, line in enumerate(lines) if line.startswith("[")]
    if not tables:
        return lines
    at = dice.choice(tables)
    name = lines[at].strip("[] ")
    form = dice.choice(("{0} = 1", "[{0}", "[[{0}]]", "[{0}.x]", "[{0}x]", "[{0}]\n[{0}]", "['{0}']", "[{0}.]"))
    return [*lines[:at], *form.format(name).split("\n"), *lines[at + 1 :]]


def _without_a_table(lines: Lines, dice: Dice) -> Lines:
    starts = [at for at, line in enumerate(lines) if line.startswith("[")] + [len(lines)]
    at = dice.randrange(len(starts) - 1) if len(starts) > 1 else 0
    return [*lines[: starts[at]], *lines[starts[min(at + 1, len(starts) - 1)] :]] or [""]


def _other_number(lines: Lines, dice: Dice) -> Lines:
    change = dice.choice(("0", "1", "7", "60", "100000", "0.001", "-5", "9" * 19))
    return _at_a_pair(
        lines, dice, lambda pair: f"{pair[1]}{pair[2]}{pair[3]}{re.sub(r'[0-9]+', change, pair[4], count=1)}"
    )


def _nested(lines: Lines, dice: Dice) -> Lines:
    depth = dice.choice((3, 70, 400, 3000))
    line = dice.choice((f"{'.'.join('a' * depth)} = 1", f"[{'.'.join('a' * depth)}]", f"a = {'[' * depth}"))
    at = dice.randrange(len(lines) + 1)
    return [*lines[:at], line, *lines[at:]]


def _character(lines: Lines, dice: Dice) -> Lines:
    text = "\n".join(lines)
    at, sign = dice.randrange(len(text) + 1), dice.choice("\x00\x07\x1b\x7f\u0085\u202e\ufeff\ud800\"'[]{}=#\\,.\r")
    return (text[:at] + sign + text[at:]).split("\n")


def _ended(lines: Lines, dice: Dice) -> Lines:
    text = "\n".join(lines)
    return text[: dice.randrange(len(text) + 1)].split("\n")


_WAYS: Final = (
    _deleted, _doubled, _swapped, _other_value, _other_value, _other_value, _value_of_another, _misspelt, _misspelt,
    _table_for_value, _value_for_table, _nested, _character, _ended, _without_a_table, _without_a_table, _other_number,
    _other_number, _other_number,
)  # fmt: skip


def _with_byte(data: bytes, dice: Dice) -> bytes:
    at = dice.randrange(len(data) + 1)
    return data[:at] + dice.choice(_BYTES) + data[at:]


def _cut(data: bytes, dice: Dice) -> bytes:
    return data[: dice.randrange(len(data) + 1)]


def _as(encoding: str) -> Callable[[bytes, Dice], bytes]:
    return lambda data, _dice: (data.decode("utf-8", "replace") + "# ü").encode(encoding, "replace")


_ENCODED: Final = (
    _with_byte, _with_byte, _cut, _as("utf-16"), _as("latin-1"), _as("utf-32"), lambda data, _: data * 2,
    lambda data, _: data.replace(b"\n", b"\r\n"), lambda data, _: data.replace(b"\n", b"\r"),
)  # fmt: skip
