"""Environments take over what they do not write themselves; what speaks of one target alone never passes on."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from probekit.config.inheritance import NEVER_INHERITED
from probekit.config.loader import read
from probekit.config.merging import ENVIRONMENT, FILE, merged
from probekit.config.origins import Node, Origin
from probekit.config.settings import Environment

HEALTH = "deploy.services.health-endpoint"
PROD = f"""
[env.prod]
base_url = "https://app.example.com"
scope = ["{HEALTH}"]
timeout = "5s"
[env.prod.connect]
headers = {{ X-Probe-Key = {{ env = "PROBE_KEY" }} }}
[env.prod.probes.health]
kind = "http"
path = "/health"
follow = 1
"""
STAGING = '[env.staging]\ninherits = "prod"\nbase_url = "https://staging.example.com"\n'


def probes_of(config, env="staging") -> dict:
    """The settings of each probe, by probe and instance."""
    return {
        f"{one.probe}.{one.instance}".rstrip("."): one.source.config.model_dump(exclude_unset=True)
        for one in config.targets[env].probes
    }


def test_defaults_hold_where_an_environment_says_nothing(load_text) -> None:
    config = load_text(
        f'[defaults]\ntimeout = "3s"\nsettle = "1s"\n[defaults.probes.health]\nkind = "http"\npath = "/up"\n{PROD}'
    )

    environment = config.targets["prod"].environment
    assert (environment.timeout, environment.settle) == (5, 1)
    assert probes_of(config, "prod")["health"]["path"] == "/health"


@pytest.mark.parametrize("order", [1, -1])
def test_a_shared_probe_lies_over_that_of_the_defaults(load_text, order) -> None:
    tables = [
        '[defaults.probes.release]\nkind = "release"\npath = "/v1"\nat = "$.x"\n',
        '[probes.release]\npath = "/v2"\n',
    ]
    config = load_text("".join(tables[::order]) + PROD)

    assert probes_of(config, "prod")["release"] == {"kind": "release", "path": "/v2", "at": "$.x"}


def test_an_environment_inherits_settings_and_probes_and_changes_single_ones(load_text) -> None:
    text = f'{PROD}{STAGING}settle = "1s"\n[env.staging.probes.health]\npath = "/up"\n'
    config = load_text(f'{text}[env.staging.connect]\nfamily = "ipv4"\n')

    staging = config.targets["staging"].environment
    assert (staging.base_url, staging.timeout, staging.settle) == ("https://staging.example.com", 5, 1)
    assert (staging.connect.family, list(staging.connect.headers)) == ("ipv4", ["X-Probe-Key"])
    assert probes_of(config) == {"health": {"kind": "http", "path": "/up", "follow": 1}}
    assert probes_of(config, "prod") == {"health": {"kind": "http", "path": "/health", "follow": 1}}


def test_a_chain_is_followed_and_defaults_and_shared_probes_lie_below_it(load_text) -> None:
    config = load_text(f"""
[defaults]
timeout = "1s"
vantage = "everywhere"
[probes.release]
kind = "release"
path = "/version"
{PROD}{STAGING}settle = "2s"
[env.review]
inherits = "staging"
base_url = "https://review.example.com"
[env.review.probes.release]
expect = "2.3.1"
""")

    review = config.targets["review"].environment
    assert (review.vantage, review.timeout, review.settle) == ("everywhere", 5, 2)
    assert probes_of(config, "review")["release"] == {"kind": "release", "path": "/version", "expect": ("2.3.1",)}


KIND = '{{ kind = "http", path = "{}" }}'
WHOLE, OTHER = KIND.format("/a"), KIND.format("/b")


@pytest.mark.parametrize(
    ("inherited", "own", "found"),
    [
        (WHOLE, '{ path = "/up" }', {"health": "/up"}),
        (WHOLE, OTHER, {"health": "/b"}),
        (WHOLE, f"{{ shop = {OTHER} }}", {"health.shop": "/b"}),  # instances, and never beside a single probe
        (f"{{ shop = {WHOLE} }}", OTHER, {"health": "/b"}),
        (f"{{ shop = {WHOLE} }}", f"{{ cart = {OTHER} }}", {"health.cart": "/b"}),  # complete, so it replaces
        (f"{{ shop = {WHOLE} }}", '{ shop = { path = "/up" } }', {"health.shop": "/up"}),
        (
            f"{{ shop = {WHOLE}, cart = {WHOLE} }}",
            f'{{ shop = {{ path = "/up" }}, cart = {OTHER} }}',
            {"health.shop": "/up", "health.cart": "/b"},
        ),
    ],
)
@pytest.mark.parametrize("way", ["inherits", "defaults", "shared", "include"])
def test_a_table_with_a_kind_stands_alone_and_another_one_adds(load_text, tmp_path, way, inherited, own, found) -> None:
    head = f'base_url = "https://app.example.com"\nscope = ["{HEALTH}"]\n'
    (tmp_path / "common.toml").write_text(f"[env.own]\n{head}[env.own.probes]\nhealth = {inherited}\n", "utf-8")
    below = {
        "inherits": f"[env.a]\n{head}[env.a.probes]\nhealth = {inherited}\n[env.own]\ninherits = 'a'\n{head}",
        "defaults": f"[defaults.probes]\nhealth = {inherited}\n[env.own]\n{head}",
        "shared": f"[probes]\nhealth = {inherited}\n[env.own]\n{head}",
        "include": 'include = ["common.toml"]\n',
    }[way]

    config = load_text(f"{below}[env.own.probes]\nhealth = {own}\n")

    assert {name: one["path"] for name, one in probes_of(config, "own").items()} == found


def test_a_setting_that_fits_no_instance_is_told_where_it_was_written(told) -> None:
    (one,) = told(f"""{PROD}
[env.other]
base_url = "https://other.example.com"
scope = ["{HEALTH}"]
[env.other.probes.health.shop]
kind = "http"
path = "/a"
{STAGING.replace("prod", "other")}
[env.staging.probes.health]
path = "/up"
""")

    assert one.startswith("probes.toml:23: env.staging.probes.health: missing 'kind', expected kind =")


@pytest.mark.parametrize(
    ("tables", "left_out", "found"),
    [
        ("", ["health", "release"], []),
        ("", ["release"], ["health"]),
        ('[env.prod.probes.cache.a]\nkind = "redis"\nurl = { env = "A" }\n', ["release", "cache.a"], ["health"]),
    ],
)
def test_a_probe_can_be_left_out_and_stays_so_below(load_text, tables, left_out, found) -> None:
    shared = '[probes.release]\nkind = "release"\npath = "/v"\n'
    child = '[env.child]\ninherits = "staging"\nbase_url = "https://child.example.com"\n'
    config = load_text(f"{shared}{PROD}{tables}{STAGING}without_probes = {left_out}\n{child}")

    assert list(probes_of(config)) == list(probes_of(config, "child")) == found


@pytest.mark.parametrize(
    ("written", "line"),
    [
        (
            'without_probes = ["helth"]',
            (
                "15: env.staging.without_probes.0: unknown probe 'helth', expected an inherited probe: "
                "health; did you mean 'health'?"
            ),
        ),
        (
            'without_probes = ["health.path"]',
            (
                "15: env.staging.without_probes.0: unknown probe 'health.path', expected an inherited probe: "
                "health; did you mean 'health'?"
            ),
        ),
        (
            'without_probes = ["health"]\nprobes = { health = { path = "/up" } }',
            "15: env.staging.without_probes.0: 'health' is both excluded and configured here, expected one of the two",
        ),
        (
            "without_probes = 3",
            (
                "15: env.staging.without_probes: a number, expected a list (Inherited probes "
                "(PROBE or PROBE.INSTANCE) to exclude)"
            ),
        ),
        (
            "without_probes = [3]",
            "15: env.staging.without_probes.0: a number, expected a text",
        ),
        ("timeoutt = 1", "15: env.staging.timeoutt: unknown key; did you mean 'timeout'?"),
        ("[defaults]\nsettlee = 3", "16: defaults.settlee: unknown key; did you mean 'settle'?"),
        ('[probes.release]\nkind = "relaese"', "16: probes.release.kind: unknown kind 'relaese', expected "),
    ],
)
def test_a_mistake_is_told_at_the_place_where_it_was_written(told, written, line) -> None:
    (one,) = told(f"{PROD}{STAGING}{written}\n")

    assert one.startswith(f"probes.toml:{line}")


@pytest.mark.parametrize("inherited", ["3", "true", '"x"', "[]", "2026-01-01"])
def test_leaving_an_instance_out_of_what_is_no_table_is_told(told, inherited) -> None:
    found = told(f'{PROD}[defaults.probes]\nrelease = {inherited}\n{STAGING}without_probes = ["release.shop"]\n')

    assert [one for one in found if "env.staging.without_probes.0: unknown probe 'release.shop'" in one]


@pytest.mark.parametrize(
    ("inherited", "own", "found"),
    [
        ('{ env = "A" }', '{ file = "b" }', (None, Path("b"))),
        ('{ file = "a" }', '{ env = "B" }', ("B", None)),
        ('{ env = "A" }', '{ env = "B" }', ("B", None)),
    ],
)
def test_a_reference_to_a_secret_replaces_another_one(load_text, inherited, own, found) -> None:
    text = PROD.replace('{ env = "PROBE_KEY" }', inherited)
    config = load_text(f"{text}{STAGING}connect.headers.X-Probe-Key = {own}\n")

    (secret,) = config.targets["staging"].environment.connect.headers.values()
    assert (secret.env, secret.file) == found


def test_another_person_does_not_get_the_telephone_of_the_inherited_one(load_text) -> None:
    person, other = '{ name = "the operators", contact = "+1 555 0100" }', '{ name = "the owner" }'
    text = PROD.replace("timeout", f"contacts.on_call = {person}\ncontacts.escalation = {person}\ntimeout")
    config = load_text(f"{text}{STAGING}contacts.on_call = {other}\n")

    given = config.targets["staging"].environment.contacts.given
    assert {role: (one.name, one.contact) for role, one in given.items()} == {
        "on_call": ("the owner", None),
        "escalation": ("the operators", "+1 555 0100"),
    }


@pytest.mark.parametrize(
    ("inherits", "line"),
    [
        (
            {"prod": "prdo"},
            "2: env.prod.inherits: unknown environment 'prdo', expected one of mid, far; did you mean 'prod'?",
        ),
        (
            {"prod": "prod"},
            (
                "2: env.prod.inherits: circular inheritance: prod -> prod, "
                "expected an environment that does not inherit this one"
            ),
        ),
        (
            {"prod": "mid", "mid": "far", "far": "mid"},
            (
                "8: env.far.inherits: circular inheritance: mid -> far -> mid, "
                "expected an environment that does not inherit this one"
            ),
        ),
        (
            {"prod": 3},
            (
                "2: env.prod.inherits: a number, expected a text (Environment whose settings and probes are "
                "inherited unless this one sets its own)"
            ),
        ),
    ],
)
def test_a_wrong_parent_is_told_with_its_line(told, inherits, line) -> None:
    tables = [
        f"[env.{name}]\n{f'inherits = {inherits[name]!r}' if name in inherits else ''}\nbase_url = 'https://a.test'\n"
        for name in ("prod", "mid", "far")
    ]

    found = told("".join(tables) + "[defaults]\nscope = ['deploy']\n")

    assert found == [f"probes.toml:{line}"]


@pytest.mark.parametrize("key", sorted(NEVER_INHERITED))
def test_what_speaks_of_one_target_alone_is_refused_in_defaults(told, key) -> None:
    (one,) = told(f"[defaults]\n{key} = 1\n{PROD}")

    expected = "this setting is never inherited; set it in each environment, [env.NAME]"
    assert one == f"probes.toml:2: defaults.{key}: {expected}"


OWN = {
    "allow": '["load"]',
    "archive": '"archive"',
    "trust": '["stock"]',
    "not_applicable": f'{{ "{HEALTH}" = "it has none" }}',
    "limits": f'{{ "{HEALTH}" = {{ drop = ["response_time"], reason = "small machines" }} }}',
    "without_probes": '["release"]',
    "release": '{ version = "2.3.1" }',
}


@pytest.mark.parametrize("key", sorted(OWN))
def test_what_speaks_of_one_target_alone_does_not_pass_on(load_text, key) -> None:
    program = '[probes.stock]\nkind = "command"\nargv = ["true"]\nmetrics = { missing = "$.missing" }\n'
    program += 'expect = ["missing == 0"]\n[probes.release]\nkind = "release"\npath = "/v"\n'
    config = load_text(program + PROD.replace("timeout", f"{key} = {OWN[key]}\ntimeout") + STAGING)

    assert getattr(config.targets["prod"].environment, key)
    assert not getattr(config.targets["staging"].environment, key)


def test_the_rest_of_an_environment_s_settings_passes_on() -> None:
    """A new key is inherited unless it is named: whoever adds one decides."""
    inherited = set(Environment.model_fields) - NEVER_INHERITED

    assert inherited == {
        "attempt_interval", "block", "budget", "connect", "contacts", "control", "deadline", "keep", "page", "probes",
        "report_mode", "scope", "settle", "spread", "throttle", "timeout", "vantage", "window",
    }  # fmt: skip


def test_a_missing_base_url_says_that_it_is_never_inherited(told) -> None:
    (one,) = told(f'{PROD}[env.staging]\ninherits = "prod"\n')

    assert one == (
        "probes.toml:12: env.staging.base_url: missing; this setting is required (URL of the target, "
        "such as https://app.example.com, with a path prefix where it has one; never inherited)"
    )


def test_tables_and_chains_too_deep_are_refused(told) -> None:
    deep = "".join(f"[env.e{n}]\ninherits = 'e{n + 1}'\nbase_url = 'https://a.test'\n" for n in range(1200))

    (one,) = told(f"{deep}[env.e1200]\nbase_url = 'https://a.test'\n")

    assert "nested too deeply" in one
    assert (
        "nested too deeply"
        in told(f"{PROD}[probes.x{'.a' * 4_000}]\nb = 1\n[env.prod.probes.x{'.a' * 4_000}]\nc = 1\n")[0]
    )


# ---------------------------------------------------------------- properties of merging

LEAVES = st.integers(0, 3) | st.lists(st.integers(0, 1), max_size=2)
TABLES = st.recursive(
    st.dictionaries(st.sampled_from("abc"), LEAVES, max_size=3),
    lambda inner: st.dictionaries(st.sampled_from("abc"), LEAVES | inner, max_size=3),
    max_leaves=8,
)
PROBE = st.fixed_dictionaries({}, optional={"path": st.sampled_from(["/a", "/b"]), "kind": st.just("http")})
ENVIRONMENTS = st.fixed_dictionaries(
    {}, optional={"timeout": st.integers(), "connect": TABLES, "probes": st.dictionaries(st.just("health"), PROBE)}
)


def node(value, name) -> Node:
    return Node(value=value, origin=Origin(file=Path(name), text=""))


@given(ENVIRONMENTS, ENVIRONMENTS, ENVIRONMENTS)
def test_how_a_chain_is_read_does_not_matter(one, two, three) -> None:
    """(a + b) + c is a + (b + c) for settings and for single probes: what a user sees is the nearest of each."""
    a, b, c = node(one, "a"), node(two, "b"), node(three, "c")

    left = merged(merged(a, b, ENVIRONMENT), c, ENVIRONMENT)
    right = merged(a, merged(b, c, ENVIRONMENT), ENVIRONMENT)

    assert left.value == right.value


def leaves(value, keys=()):
    if isinstance(value, dict):
        for key, part in value.items():
            yield from leaves(part, (*keys, key))
    else:
        yield keys, value


@given(TABLES, TABLES)
def test_each_value_knows_the_file_that_it_came_from(one, two) -> None:
    files = {"one": one, "two": two}

    found = merged(node(one, "one"), node(two, "two"), FILE)

    for keys, value in leaves(found.value):
        origin = found.origin_of(keys)
        there = files[str(origin.file)]
        for key in origin.keys:
            there = there[key]
        assert (origin.keys, there) == (keys, value)


@given(TABLES)
def test_a_table_over_itself_or_over_nothing_is_itself(one) -> None:
    assert merged(node(one, "a"), node(one, "b"), FILE).value == one
    assert merged(node({}, "a"), node(one, "b"), FILE).value == one
    assert merged(node(one, "a"), node({}, "b"), FILE).value == one


@settings(max_examples=50)
@given(st.permutations(["prod", "staging", "demo"]))
def test_a_file_without_the_new_keys_is_read_as_it_is_written(order) -> None:
    text = (Path(__file__).parents[2] / "probes.toml").read_text("utf-8")
    head, *parts = re.split(r"(?m)^(?=\[env\.(?:prod|staging|demo)\]$)", text)
    tables = {part[len("[env.") : part.index("]")]: part for part in parts}
    path = Path(__file__).parents[2] / "probes.toml"
    whole = head + "".join(tables[name] for name in order)
    config = read(whole, path)

    assert {"checklist": config.written["checklist"], "env": config.written["env"]} == tomllib.loads(whole)
    assert list(config.targets) == order
