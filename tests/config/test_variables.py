"""Variables in texts: what they stand for, where none may stand, and that no message shows a value."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given, strategies as st

from probekit import cli, probes
from probekit.config import origins
from probekit.config.accepted import inside, takes_secret
from probekit.config.settings import Environment
from probekit.config.variables import HiddenValues, Substitution, Variable, parts_of
from probekit.probe import SecretRef
from probekit.toml_file import ConfigError
from probekit.toml_file.write import quoted
from probekit.workflows.assembly import target_of
from probekit.workflows.options import RunOptions

HEALTH = "deploy.services.health-endpoint"
PLANTED = "planted-5ecret"
FILE = f"""
[env.prod]
base_url = "https://app.example.com"
scope = ["{HEALTH}"]
vantage = "here"
[env.prod.probes.health]
kind = "http"
path = "/health"
repeat = 4
page = false
"""


@pytest.fixture(autouse=True)
def _variables(monkeypatch) -> None:
    for name in ("HOST", "NAME", "EMPTY", "UNSET", "NUMBER"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("${NAME}", "x"),
        ("a ${NAME}/${HOST}", "a x/h"),
        ("${UNSET:-d}", "d"),
        ("${UNSET:-}", ""),
        ("${EMPTY}", ""),
        ("${EMPTY:-d}", "d"),
        ("${NAME:-d}", "x"),
        ("$${NAME}", "${NAME}"),
        ("$$${NAME}", "$${NAME}"),
        ("$NAME $ $$ {NAME} }", "$NAME $ $$ {NAME} }"),
        ("${UNSET:-a:-b $x {}", "a:-b $x {"),
        ("${BESIDE}", "from .env"),
        ("${BOTH}", "environment"),
        ("${HOLDS}", "${NAME}"),  # what a variable holds is not read again
    ],
)
def test_a_variable_stands_for_its_value(load_text, tmp_path, monkeypatch, written, value) -> None:
    for name, known in {"NAME": "x", "HOST": "h", "EMPTY": "", "BOTH": "environment", "HOLDS": "${NAME}"}.items():
        monkeypatch.setenv(name, known)
    (tmp_path / ".env").write_text("BESIDE='from .env'\nBOTH=file\n")

    config = load_text(FILE.replace('"here"', f'"{written}"'))

    assert config.targets["prod"].environment.vantage == value


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("${", "'${' without a variable's name and }"),
        ("${}", "'${' without a variable's name and }"),
        ("${1X}", "'${' without a variable's name and }"),
        ("${NAME", "'${' without a variable's name and }"),
        ("${NAME-d}", "'${' without a variable's name and }"),
        ("${NÄME}", "'${' without a variable's name and }"),
        ("${NAME:-${HOST}}", "a variable inside another one"),
        ("${NAME:-$${HOST}}", "a variable inside another one"),
    ],
)
def test_what_is_no_variable_is_told_with_its_line(told, monkeypatch, written, found) -> None:
    monkeypatch.setenv("NAME", PLANTED)

    assert told(FILE.replace('"here"', f'"{PLANTED} {written}"')) == [
        (
            f"probes.toml:5: env.prod.vantage: {found}, expected ${{NAME}} or ${{NAME:-default}}; "
            "write $${ for a literal ${"
        )
    ]


@given(st.text(alphabet="$${}ab:-"))
def test_any_text_is_read_or_refused_and_what_probekit_writes_is_read_back(text) -> None:
    try:
        parts = parts_of(text)
    except ValueError as error:
        assert text == "${" or text not in str(error)  # noqa: PT017  # either is right
    else:
        assert all(isinstance(part, str | Variable) for part in parts)
    (written,) = tomllib.loads(f"x = {quoted(text)}").values()
    assert "".join(map(str, parts_of(written))) == text


def test_a_variable_that_is_not_set_is_told_with_its_line_and_its_name(told) -> None:
    found = told(FILE.replace('"here"', '"${UNSET}"').replace('"/health"', '"/${UNSET}"'))

    words = "the variable UNSET is not set; set it in the environment or in .env, "
    words += "or write a default: ${UNSET:-default}"
    assert found == [
        f"probes.toml:5: env.prod.vantage: {words}",
        f"probes.toml:8: env.prod.probes.health.path: {words}",
    ]


def test_an_environment_that_lacks_a_variable_keeps_no_other_from_being_verified(load_text) -> None:
    config = load_text(f"{FILE}{FILE.replace('prod', 'test').replace('app.', '${UNSET}.')}")

    assert config.environments == ("prod", "test")
    assert list(config.targets) == ["prod"]
    with pytest.raises(ConfigError, match=r"probes.toml:13: env.test.base_url: the variable UNSET is not set"):
        target_of(RunOptions(environment="test"), config)


def test_a_list_of_environments_names_the_variable_that_one_lacks(tmp_path, monkeypatch, capsys) -> None:
    (tmp_path / "probes.toml").write_text(f"{FILE}{FILE.replace('prod', 'test').replace('app.', '${UNSET}.')}")
    monkeypatch.chdir(tmp_path)

    assert cli.run(["list", "envs"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "prod  1 item  https://app.example.com",
        "test          not usable here: the variable UNSET is not set",
    ]
    assert cli.run(["plan"]) == 64  # which one is meant?
    assert "probes.toml has prod, test" in capsys.readouterr().err
    assert cli.run(["plan", "--env", "test"]) == 78
    assert "probes.toml:13: env.test.base_url: the variable UNSET is not set" in capsys.readouterr().err


def test_an_overridden_value_needs_no_variable(load_text) -> None:
    config = load_text(f'[defaults]\nvantage = "${{UNSET}}"\n{FILE}')

    assert config.targets["prod"].environment.vantage == "here"


def test_the_hash_changes_with_a_variable(load_text, monkeypatch) -> None:
    text = FILE.replace('"here"', '"${NAME}"')
    monkeypatch.setenv("NAME", "x")
    first = load_text(text).digest
    monkeypatch.setenv("NAME", "y")

    assert load_text(text).digest != first


@pytest.mark.parametrize(
    ("setting", "value", "found"),
    [
        ("repeat = 4", "12", ("repeat", 12)),
        ("page = false", "true", ("page", True)),
        ("page = false", "false", ("page", False)),
        ('path = "/health"', "/7", ("path", "/7")),
    ],
)
def test_a_variable_alone_stands_for_a_number_too(load_text, monkeypatch, setting, value, found) -> None:
    monkeypatch.setenv("NUMBER", value)
    key = setting.partition(" ")[0]

    (one,) = load_text(FILE.replace(setting, f'{key} = "${{NUMBER}}"')).targets["prod"].probes

    name, due = found
    assert getattr(one.source.config, name) == due
    assert type(getattr(one.source.config, name)) is type(due)


@pytest.mark.parametrize(
    ("setting", "value", "found"),
    [
        ("repeat = 4", PLANTED, "9: env.prod.probes.health.repeat: the value of ${NUMBER}, expected a whole number"),
        ("repeat = 4", "1.5", "9: env.prod.probes.health.repeat: the value of ${NUMBER}, expected a whole number"),
        (
            "repeat = 4",
            "9" * 30,
            "9: env.prod.probes.health.repeat: the value of ${NUMBER}, expected a whole number",
        ),
        ("page = false", "yes", "10: env.prod.probes.health.page: the value of ${NUMBER}, expected true or false"),
        (
            "repeat = 4",
            "7777",
            "9: env.prod.probes.health.repeat: ${NUMBER}, expected at most 64 (Measurements in the ",
        ),
    ],
)
def test_a_value_that_is_no_number_is_refused_and_not_shown(told, monkeypatch, setting, value, found) -> None:
    monkeypatch.setenv("NUMBER", value)

    (one,) = told(FILE.replace(setting, f'{setting.partition(" ")[0]} = "${{NUMBER}}"'))

    assert one.startswith(f"probes.toml:{found}")
    assert value not in one


@pytest.mark.parametrize("written", [
    '"https://app.example.com"', f'"{HEALTH}"', '"/health"', '"here"\ncontrol = ["https://app.example.com"]',
    '"here"\ncontrol = ["${NAME}"]', '"here"\ntimeout = "${NAME}"', '"here"\ntrust = ["${NAME}"]',
    '"here"\nconnect = { family = "${NAME}" }', '"here"\nconnect = { resolve = { "a:1" = "${NAME}" } }',
    '"here"\nallow = ["${NAME}"]', '"here"\nreport_mode = "${NAME}"',
    f'"here"\nnot_applicable = {{ "{HEALTH}x" = "${{NAME}}" }}',
    f'"here"\nlimits = {{ "{HEALTH}" = {{ expect = ["${{NAME}}"], reason = "${{NAME}}" }} }}',
    'false\nassertions = [{ path = "${NAME}" }]', 'false\nassertions = [{ matches = "${NAME}(" }]',
    'false\nbody = 3\njson = "${NAME}"', 'false\nurl = "${NAME}"',
    'false\n[env.prod.probes.own]\nkind = "http"\npath = "/"\nexpect = ["${NAME} == 1"]\nseverity = "${NAME}"',
    ('false\n[env.prod.probes.database]\nkind = "postgres"\ndsn = { env = "A" }\n'
    'orphans = [{ child = "${NAME}", parent = "${NAME}" }]'),
])  # fmt: skip
@pytest.mark.parametrize("value", [PLANTED, f"https://{PLANTED}:pw@app.example.com/x?y=1", f"/{PLANTED} x", "q7"])
def test_no_message_shows_what_a_variable_stands_for(told, monkeypatch, written, value) -> None:
    monkeypatch.setenv("NAME", value)
    key = written.partition("\n")[0]
    text = FILE.replace(key, written if "\n" in written else '"${NAME}"')

    try:
        found = told(text)
    except pytest.fail.Exception:  # the value is a good one there
        return

    assert not [one for one in found if PLANTED in one or value in one]


@pytest.mark.parametrize("place", ['vantage = "{}"', 'control = ["{}"]', 'timeout = "{}"', 'connect = {{ ca = "{}" }}'])
def test_a_value_that_is_not_utf_8_is_refused_where_it_is_due(told, monkeypatch, place) -> None:
    monkeypatch.setenv("NAME", f"{PLANTED}\udcff")  # a byte that os.environ cannot decode

    (one,) = told(FILE.replace('vantage = "here"', place.format("${NAME:-x}")))

    assert one.endswith(": the value of ${NAME}, expected a text in UTF-8")
    assert PLANTED not in one


@pytest.mark.parametrize("shown", [PLANTED, PLANTED.upper(), f"x{PLANTED[:9]}", PLANTED.replace("-", "%2D")])
def test_a_part_or_another_form_of_a_value_is_not_shown_either(shown) -> None:
    one = Substitution(written="${NAME}", variables=("NAME",), values=(PLANTED,), text=PLANTED)

    assert shown.removeprefix("x")[:9] not in HiddenValues([one]).clean(f"no '{shown}' here")


def test_a_thousand_mistakes_do_not_prepare_the_hiding_of_values_anew(told, monkeypatch) -> None:
    made = []

    def hidden(substitutions):
        made.append(list(substitutions))
        return HiddenValues(made[-1])

    monkeypatch.setattr(origins, "HiddenValues", hidden)
    own = "".join(
        f'[env.prod.probes.p{n}]\nkind = "http"\npath = "/${{X:-v{n}}}"\nexpect = ["upp == 1"]\n' for n in range(50)
    )

    assert len(told(FILE + own)) == 50
    assert [len(one) for one in made] == [50]


def test_a_control_that_is_the_target_does_not_tell_the_target_s_address(told, monkeypatch) -> None:
    monkeypatch.setenv("HOST", PLANTED)
    text = FILE.replace("app.example.com", "${HOST}").replace("vantage", 'control = ["https://${HOST}/x"]\nvantage')

    (one,) = told(text)

    assert one == "probes.toml:5: env.prod.control: '${HOST}' is the target itself; use a URL outside it"


# ---------------------------------------------------------------- secrets

Keys = tuple[str | int, ...]


def places(model: Any, keys: Keys = ()) -> list[Keys]:
    """The settings of a model, and of the models inside of it, that take a reference to a secret."""
    found = []
    for name, field in model.model_fields.items():
        key = field.alias or name
        types = inside((model,), key)
        entries = inside(types, "x")
        if takes_secret(types):
            found.append((*keys, key))
        elif takes_secret(entries):
            found.append((*keys, key, "x"))
        for one, below in [*((one, ()) for one in types), *((one, (0,)) for one in entries)]:
            if isinstance(one, type) and hasattr(one, "model_fields") and one is not SecretRef:
                found += places(one, (*keys, key, *below))
    return found


SECRETS = [(name, keys) for name in probes.kind_names() for keys in places(probes.load_kind(name).config)]


def test_the_settings_that_take_a_secret_are_found_by_their_models() -> None:
    found = {f"{kind}: {'.'.join(map(str, keys))}" for kind, keys in SECRETS}

    assert found == {
        "command: secrets.x", "http: headers.x", "http: body", "http: form.x", "postgres: dsn", "redis: url",
        "routes: routes.0.headers.x", "routes: routes.0.body", "routes: routes.0.form.x",
        "security_headers: post.body",
    }  # fmt: skip
    assert places(Environment) == [("connect", "headers", "x"), ("connect", "proxy")]


def toml(keys: Keys, value: str) -> str:
    for key in reversed(keys[1:]):
        value = f"[{value}]" if key == 0 else f"{{ {key} = {value} }}"
    return f"{keys[0]} = {value}\n"


@pytest.mark.parametrize(("kind", "keys"), SECRETS)
@pytest.mark.parametrize(
    ("value", "words"),
    [
        ('"${NAME}"', 'the variable ${NAME} in a setting for secrets, expected { env = "NAME" }, which is never shown'),
        (
            '"x ${UNSET:-d}"',
            'the variable ${UNSET} in a setting for secrets, expected { env = "UNSET" }, which is never shown',
        ),
        ('{ env = "${NAME}" }', "a variable in a reference to a secret, expected a name without variables, as in "),
        (
            '{ file = "/run/${NAME}" }',
            "a variable in a reference to a secret, expected a name without variables, as in ",
        ),
    ],
)
def test_where_a_secret_is_due_no_variable_may_stand(told, monkeypatch, kind, keys, value, words) -> None:
    monkeypatch.setenv("NAME", PLANTED)
    text = f'[env.a]\nbase_url = "https://a.test"\nscope = ["deploy"]\n[env.a.probes.p]\nkind = "{kind}"\n'

    found = told(text + toml(keys, value))

    assert len(found) == 1
    assert found[0].startswith(f"probes.toml:6: env.a.probes.p.{'.'.join(map(str, keys))}: {words}")


@pytest.mark.parametrize("keys", [("connect", "headers", "Authorization"), ("connect", "proxy")])
def test_nor_in_those_of_an_environment(told, monkeypatch, keys) -> None:
    monkeypatch.setenv("NAME", PLANTED)

    (one,) = told(FILE.replace('vantage = "here"\n', toml(keys, '"Bearer ${NAME}"')))

    assert one.endswith(
        'the variable ${NAME} in a setting for secrets, expected { env = "NAME" }, which is never shown'
    )


@pytest.mark.parametrize(
    "secret",
    [
        'connect = { headers = { Authorization = { env = "NAME" } } }\n',
        '[env.prod.probes.cache]\nkind = "redis"\nurl = { env = "NAME" }\n',
    ],
)
@pytest.mark.parametrize("text", ["${NAME}", "a ${HOST:-x}/${NAME:-y}"])
def test_no_text_shows_what_is_a_secret_of_its_environment(told, load_text, monkeypatch, secret, text) -> None:
    """A text is shown in reports, and what stands in it is redacted nowhere."""
    monkeypatch.setenv("NAME", PLANTED)
    written = FILE.replace('"here"\n', f'"{text}"\n{secret}') if "connect" in secret else FILE + secret
    written = written.replace('"here"', f'"{text}"')

    assert told(written) == [
        (
            'probes.toml:5: env.prod.vantage: the variable ${NAME} is also a secret here, { env = "NAME" }, '
            "expected another variable: this text is shown in reports"
        )
    ]
    other = FILE.replace("prod", "test").replace('"here"', f'"{text}"')  # of another environment
    assert len(load_text(written.replace(f'"{text}"', '"here"') + other).targets) == 2


def test_a_kind_is_named_and_no_variable(told, monkeypatch) -> None:
    monkeypatch.setenv("NAME", "http")

    (one,) = told(FILE.replace('"http"', '"${NAME}"'))

    assert one.startswith(
        "probes.toml:7: env.prod.probes.health.kind: a variable is not allowed here, expected an installed kind: "
    )


def test_names_of_tables_are_not_read(load_text) -> None:
    text = FILE.replace('"here"', '"here"\nconnect = { headers = { "${X" = { env = "A" } } }')

    assert list(load_text(text).targets["prod"].environment.connect.headers) == ["${X"]
