"""The schema of probes.toml takes what the loader takes, and marks what an editor can know to be wrong."""

from __future__ import annotations

import tomllib
from pathlib import Path

import jsonschema
import pytest

from probekit import checklist, probes
from probekit.cli import kind_facts
from probekit.config.schema import schema

ROOT = Path(__file__).parents[2]
GOOD = """
[env.prod]
base_url = "https://app.example.com"
scope = ["deploy"]
timeout = "10 s"

[env.prod.probes.health]
kind = "http"
path = "/health"

[env.prod.probes.database.primary]
kind = "postgres"
dsn = { env = "DATABASE_URL" }
"""


@pytest.fixture(scope="module")
def validator():
    document = schema()
    jsonschema.Draft202012Validator.check_schema(document)
    return jsonschema.Draft202012Validator(document)


@pytest.mark.parametrize("path", [ROOT / "probes.toml", ROOT / "tests" / "data" / "probes.toml"])
def test_files_that_are_valid_are_taken(validator, path) -> None:
    validator.validate(tomllib.loads(path.read_text("utf-8")))


def test_every_kind_s_example_is_taken(validator) -> None:
    known = checklist.load("softfactory")
    for name in probes.kind_names():
        text = '[env.prod]\nbase_url = "https://a.test"\nscope = ["deploy"]\n'
        validator.validate(tomllib.loads(text + kind_facts.table(probes.load_kind(name), known)))


def test_the_good_file_is_good(validator) -> None:
    validator.validate(tomllib.loads(GOOD))


@pytest.mark.parametrize(
    ("instead_of", "write"),
    [
        ('timeout = "10 s"', "timeout = 10"),
        ('timeout = "10 s"', 'timeout = "10 parsecs"'),
        ('timeout = "10 s"', 'timeuot = "10 s"'),
        ('scope = ["deploy"]', 'scope = "deploy"'),
        ('base_url = "https://app.example.com"', 'base_url = "app.example.com"'),
        ('kind = "http"', 'kind = "htttp"'),
        ('path = "/health"', 'path = "health"'),
        ('path = "/health"', 'path = "/health"\nassert = []'),
        ('dsn = { env = "DATABASE_URL" }', 'dsn = "postgresql://u:p@db.example.com/shop"'),
        ('kind = "postgres"\n', ""),
        ("[env.prod.probes.database.primary]", "[env.prod.probes.database]\nkind = 3\n[env.prod.probes.x.primary]"),
    ],
)
def test_a_mistake_is_marked(validator, instead_of, write) -> None:
    assert instead_of in GOOD

    assert not validator.is_valid(tomllib.loads(GOOD.replace(instead_of, write)))


@pytest.mark.parametrize(("name", "is_own"), [("softfactory", False), ("none", True), ("own.toml", True)])
def test_a_name_of_the_built_in_checklist_is_one_s_own_under_another(validator, name, is_own) -> None:
    text = 'checklist = "{}"\n[env.prod]\nbase_url = "https://a.test"\n[{}]\n{}confirm = 5\n'
    table = 'kind = "http"\npath = "/health"\n'

    for place in ("env.prod.probes.health", "probes.health"):
        assert validator.is_valid(tomllib.loads(text.format(name, place, table))) == is_own
    assert validator.is_valid(tomllib.loads(text.format(name, "env.prod.probes.shop", table)))


def test_a_setting_tells_an_editor_what_it_says() -> None:
    document = schema()

    assert document["$defs"]["http"]["properties"]["path"]["description"] == "A path below the environment's base_url."
    assert document["$defs"]["Environment"]["properties"]["probes"]["properties"]["health"]["description"]


def _defaults(node, path=()):
    """Every schema below this one that has a default, with its place."""
    if isinstance(node, dict):
        if "default" in node:
            yield path, node
        for key, inner in node.items():
            yield from _defaults(inner, (*path, key))
    elif isinstance(node, list):
        for number, inner in enumerate(node):
            yield from _defaults(inner, (*path, number))


def test_every_default_is_of_its_own_type() -> None:
    document = schema()
    defaults = list(_defaults(document))

    assert len(defaults) > 50
    for path, node in defaults:
        own = {key: value for key, value in node.items() if key != "default"}
        errors = list(jsonschema.Draft202012Validator({"$defs": document["$defs"], **own}).iter_errors(node["default"]))
        assert not errors, (path, node["default"])


PROBE = 'kind = "http"\npath = "/health"\n'
PROD = '[env.prod]\nbase_url = "https://a.test"\n'
STAGING = '[env.staging]\ninherits = "prod"\nbase_url = "https://b.test"\n'


@pytest.mark.parametrize(
    ("text", "is_valid"),
    [
        ("[defaults]\ntimeout = '5s'\n[defaults.probes.health]\npath = '/up'\n", True),  # an included file
        (f"include = ['common.toml']\n{PROD}[env.prod.probes.health]\npath = '/up'\n", True),
        (f"{PROD}{STAGING}without_probes = ['health']\n[env.staging.probes.health]\npath = '/up'\n", True),
        (f"{PROD}{STAGING}[env.staging.probes.health.shop]\npath = '/up'\n", True),
        (f"{PROD}{STAGING}[env.staging.probes.health.shop]\nkind = 'http'\npath = 3\n", False),
        (f"{PROD}{STAGING}[env.staging.probes.cache]\nkind = 'redis'\n", False),  # it stands alone
        (f"{PROD}[env.prod.probes.health]\npath = '/up'\n", False),  # it inherits nothing
        (f"[probes.health]\npath = '/up'\n{PROD}", False),
        (f"[defaults]\nallow = ['load']\n{PROD}", False),
        (f"[defaults]\nbase_url = 'https://a.test'\n{PROD}", False),
        (f"include = 'common.toml'\n{PROD}", False),
        ("[env.prod]\nbase_url = '${URL}'\ntimeout = '${T:-5s}'\nbudget = '${N}'\n", True),
        ("[env.prod]\nbase_url = 'URL'\n", False),
        ("[env.prod]\nbudget = 'many'\n", False),
        (f"{PROD}[env.prod.probes.health]\n{PROBE}repeat = '${{N}}'\npage = '${{P}}'\n", True),
        (f"{PROD}[env.prod.probes.own]\n{PROBE}rollback = '${{R}}'\nconfirm = '${{C}}'\n", True),
        (f"{PROD}[env.prod.probes.health]\nkind = '${{K}}'\n", False),
        (f"{PROD}[env.prod.probes.database]\nkind = 'postgres'\ndsn = '${{DSN}}'\n", False),
        (f"{PROD}connect = {{ headers = {{ X = '${{X}}' }} }}\n", False),
    ],
)
def test_a_file_that_shares_is_taken_and_its_mistakes_are_marked(validator, text, is_valid) -> None:
    assert validator.is_valid(tomllib.loads(text)) == is_valid


def test_keys_that_share_are_described_in_sentences() -> None:
    document = schema()
    environment = document["$defs"]["Environment"]["properties"]

    for one in (document["properties"]["include"], environment["inherits"], environment["without_probes"]):
        assert one["description"].endswith(".")
    assert document["$defs"]["Defaults"]["description"].endswith(".")
