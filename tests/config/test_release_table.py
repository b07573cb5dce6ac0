"""[env.NAME.release] states the facts of a release, or the variables and files that a pipeline fills."""

from __future__ import annotations

import pytest

from probekit.config.release import ReleaseError, ReleaseReader, ReleaseSettings
from probekit.model.record import Identity
from probekit.toml_file import ConfigError

COMMIT, DIGEST = "3f2a9c1d", f"sha256:{'a' * 64}"
PROD = '[env.prod]\nbase_url = "https://a.test"\nscope = []\n[env.prod.release]\n'


def identity(folder, table, variables=None):
    reader = ReleaseReader(folder, variables or {})
    return reader.identity(ReleaseSettings.model_validate(table)), reader.notes


def test_facts_are_values_variables_or_files(tmp_path) -> None:
    (tmp_path / "COMMIT").write_text(f"  {COMMIT.upper()}\n")
    table = {
        "version": {"env": "VERSION"},
        "commit": {"file": "COMMIT"},
        "images": {"registry.test/app": DIGEST, "web": {"env": "WEB"}},
        "previous": "2.3.0",
    }

    found, notes = identity(tmp_path, table, {"VERSION": " 2.3.1\n", "WEB": DIGEST})

    images = {"registry.test/app": DIGEST, "web": DIGEST}
    assert found == Identity(release="2.3.1", commit=COMMIT, images=images, previous="2.3.0")
    assert notes == []


@pytest.mark.parametrize(
    ("written", "variables", "note"),
    [
        ({"env": "COMMIT"}, {}, "release.commit is not known: variable COMMIT is not set"),
        ({"env": "COMMIT"}, {"COMMIT": None}, "release.commit is not known: variable COMMIT is not set"),
        ({"env": "COMMIT"}, {"COMMIT": " "}, "release.commit is not known: variable COMMIT is not set"),
        ({"file": "absent"}, {}, "release.commit is not known: file absent does not exist"),
        ({"file": "empty"}, {}, "release.commit is not known: file empty is empty"),
    ],
)
def test_a_missing_variable_or_file_leaves_a_fact_unknown(tmp_path, written, variables, note) -> None:
    (tmp_path / "empty").write_text("\n")

    assert identity(tmp_path, {"commit": written}, variables) == (Identity(), [note])


@pytest.mark.parametrize(
    ("table", "text", "message"),
    [
        ({"commit": {"file": "fact"}}, b"main", "release.commit: file fact: expected a commit"),
        ({"commit": {"file": "fact"}}, b"3f2a9c", "expected a commit of 7 to 64"),
        ({"commit": {"file": "fact"}}, b"3f2a9c1\n3f2a9c2", "it has 2 lines, expected one"),
        ({"images": {"app": {"file": "fact"}}}, b"app:2.3.1", "release.images.app: file fact: expected the digest"),
        ({"images": {"app": {"file": "fact"}}}, DIGEST.upper().encode(), "expected the digest"),
        ({"version": {"file": "fact"}}, b"2.3\x1b[2J", "release.version: file fact: it is not one line"),
        ({"version": {"file": "fact"}}, b"1" * 201, "it has 201 characters"),
        ({"version": {"file": "fact"}}, b"\xff\xfe", "cannot be read: it is not text"),
        ({"version": {"file": "fact"}}, b"1" * 5000, "cannot be read: larger than"),
        ({"version": {"file": "."}}, b"", "cannot be read: Is a directory"),
    ],
)
def test_what_is_no_such_fact_is_an_error(tmp_path, table, text, message) -> None:
    (tmp_path / "fact").write_bytes(text)

    with pytest.raises(ReleaseError, match=r".") as caught:
        identity(tmp_path, table)

    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ('commit = "main"', "expected a commit of 7 to 64 hexadecimal digits"),
        ('images = { app = "latest" }', "expected the digest of an image"),
        ('images = { "a b" = "sha256:0" }', "env.prod.release.images"),
        ('version = ""', "is blank"),
        ('version = { env = "A", file = "B" }', "name one source"),
        ("version = {}", "name one source"),
        ('revision = "1"', "unknown key"),
    ],
)
def test_a_mistake_in_the_table_is_told(load_text, table, message) -> None:
    with pytest.raises(ConfigError) as caught:
        load_text(PROD + table)

    assert any(message in str(problem) for problem in caught.value.problems), caught.value.problems
