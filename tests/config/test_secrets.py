"""A secret is found where its reference points, is known to the redactor at once, and stands in no message."""

from __future__ import annotations

import os
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from pydantic import BaseModel
from structlog.testing import capture_logs

from probekit.config import secrets
from probekit.config.dotenv import read_dotenv
from probekit.config.secrets import SecretResolver, secret_refs
from probekit.model.measurement import ProbeFailedError, Reason
from probekit.probe import SecretRef
from probekit.redaction import HIDDEN, Redactor
from probekit.toml_file import ConfigError

VALUE = "planted-5ecret-value"
TOKEN = SecretRef(env="HEALTH_TOKEN")
FILE = SecretRef(file=Path("secrets/token"))


@pytest.fixture
def redactor() -> Redactor:
    return Redactor()


@pytest.fixture
def vault(tmp_path, redactor):
    def over(**variables: str) -> SecretResolver:
        return SecretResolver(folder=tmp_path, variables=variables, dotenv=read_dotenv(tmp_path), redactor=redactor)

    return over


@pytest.fixture
def token_file(tmp_path) -> Path:
    (tmp_path / "secrets").mkdir()
    return tmp_path / "secrets/token"


@pytest.fixture
def refused():
    """What a refusal says, with all that its traceback would show."""

    def of(vault: SecretResolver, secret: SecretRef) -> tuple[ProbeFailedError, str]:
        with pytest.raises(ProbeFailedError) as caught:
            vault.reveal(secret)
        return caught.value, "".join(traceback.format_exception(caught.value))

    return of


def test_a_variable_of_the_process_is_revealed(vault) -> None:
    assert vault(HEALTH_TOKEN=VALUE).reveal(TOKEN) == VALUE


def test_a_line_of_the_env_file_beside_the_configuration_is_revealed(tmp_path, vault) -> None:
    (tmp_path / ".env").write_text(f"OTHER=1\nHEALTH_TOKEN='{VALUE}'\n")

    assert vault().reveal(TOKEN) == VALUE
    assert read_dotenv(tmp_path).file == tmp_path / ".env"


def test_a_variable_of_the_process_wins_over_the_env_file(tmp_path, vault) -> None:
    (tmp_path / ".env").write_text("HEALTH_TOKEN=of-the-file\n")

    assert vault(HEALTH_TOKEN=VALUE).reveal(TOKEN) == VALUE


def test_an_empty_variable_of_the_process_leaves_the_env_file_its_say(tmp_path, vault) -> None:
    (tmp_path / ".env").write_text(f"HEALTH_TOKEN={VALUE}\n")

    assert vault(HEALTH_TOKEN="").reveal(TOKEN) == VALUE


def test_an_env_file_elsewhere_is_not_read(tmp_path, vault, monkeypatch) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / ".env").write_text(f"HEALTH_TOKEN={VALUE}\n")
    monkeypatch.chdir(elsewhere)

    with pytest.raises(ProbeFailedError):
        vault().reveal(TOKEN)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        (VALUE, VALUE),
        (f"{VALUE}\n", VALUE),
        (f"{VALUE}\r\n", VALUE),
        (f"{VALUE}\n\n", f"{VALUE}\n"),  # one newline is the editor's, a second one is the secret's
        (f" {VALUE} \n", f" {VALUE} "),
        (f"{VALUE}\nsecond line\n", f"{VALUE}\nsecond line"),
        ("pässwörd-ö\n", "pässwörd-ö"),
    ],
)
def test_a_file_is_revealed_without_one_newline_at_its_end(vault, token_file, written, value) -> None:
    token_file.write_bytes(written.encode())

    assert vault().reveal(FILE) == value


def test_a_file_is_looked_for_beside_the_configuration(vault, token_file, tmp_path, monkeypatch) -> None:
    token_file.write_text(VALUE)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)

    assert vault().reveal(FILE) == VALUE


def test_an_absolute_path_is_taken_as_it_is(vault, tmp_path_factory) -> None:
    path = tmp_path_factory.mktemp("run") / "token"
    path.write_text(VALUE)

    assert vault().reveal(SecretRef(file=path)) == VALUE


def test_a_file_is_read_again_each_time(vault, token_file) -> None:
    opened = vault()
    token_file.write_text("before-rotation")
    before = opened.reveal(FILE)
    token_file.write_text("after-rotation")

    assert (before, opened.reveal(FILE)) == ("before-rotation", "after-rotation")


@pytest.mark.parametrize("variables", [{}, {"HEALTH_TOKEN": ""}, {"health_token": VALUE}])
def test_a_variable_that_is_missing_or_empty_is_a_missing_secret(vault, refused, variables) -> None:
    error, shown = refused(vault(**variables), TOKEN)

    assert (error.reason, error.detail) == (
        Reason.MISSING_SECRET,
        "the variable HEALTH_TOKEN is not set or empty; set it in the environment or in .env",
    )
    assert VALUE not in shown


@pytest.mark.parametrize("line", ["HEALTH_TOKEN=", "HEALTH_TOKEN", f"OTHER={VALUE}"])
def test_a_line_without_a_value_is_a_missing_secret(tmp_path, vault, refused, line) -> None:
    (tmp_path / ".env").write_text(f"{line}\n")

    error, shown = refused(vault(OTHER_TOO=VALUE), TOKEN)

    assert error.reason is Reason.MISSING_SECRET
    assert VALUE not in shown


@pytest.mark.parametrize("written", ["", "\n", "\r\n"])
def test_an_empty_file_is_a_missing_secret(vault, token_file, refused, written) -> None:
    token_file.write_bytes(written.encode())

    error, _ = refused(vault(), FILE)

    assert (error.reason, error.detail) == (Reason.MISSING_SECRET, "the file secrets/token is empty")


@pytest.mark.parametrize(("mode", "told"), [(0o600, 0), (0o400, 0), (0o640, 1), (0o604, 1)])
def test_a_file_that_others_may_read_is_warned_of_once(vault, token_file, mode, told) -> None:
    token_file.write_text(VALUE)
    token_file.chmod(mode)
    opened = vault()

    with capture_logs() as events:
        assert [opened.reveal(FILE) for _ in range(3)] == [VALUE] * 3

    assert [event["event"] for event in events] == ["secret.readable_by_others"] * told
    assert VALUE not in str(events)


def test_a_file_that_is_not_there_is_a_missing_secret(vault, refused) -> None:
    error, _ = refused(vault(), FILE)

    assert error.reason is Reason.MISSING_SECRET
    assert error.detail == "the file secrets/token cannot be read: No such file or directory"


def test_a_folder_is_a_missing_secret(vault, refused, token_file) -> None:
    token_file.mkdir()

    error, _ = refused(vault(), FILE)

    assert error.reason is Reason.MISSING_SECRET
    assert error.detail == "the file secrets/token cannot be read: Is a directory"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_we_may_not_read_is_a_missing_secret(vault, refused, token_file) -> None:
    token_file.write_text(VALUE)
    token_file.chmod(0)

    error, shown = refused(vault(), FILE)

    assert error.detail == "the file secrets/token cannot be read: Permission denied"
    assert VALUE not in shown


def test_a_file_that_is_no_text_is_a_missing_secret_and_none_of_it_is_told(vault, refused, token_file) -> None:
    token_file.write_bytes(VALUE.encode() + b"\xff")

    error, _ = refused(vault(), FILE)

    assert error.reason is Reason.MISSING_SECRET
    assert error.detail == "the file secrets/token cannot be read: UnicodeDecodeError"
    assert VALUE not in str(error)


def test_a_name_that_no_file_can_have_is_a_missing_secret(vault, refused) -> None:
    error, _ = refused(vault(), SecretRef(file=Path("a\0b")))

    assert error.reason is Reason.MISSING_SECRET


def test_an_env_file_that_is_no_text_is_refused_and_none_of_it_is_told(tmp_path, vault) -> None:
    (tmp_path / ".env").write_bytes(f"HEALTH_TOKEN={VALUE}".encode() + b"\xff\n")

    with pytest.raises(ConfigError, match="UnicodeDecodeError") as caught:
        vault()

    assert str(tmp_path / ".env") in str(caught.value)
    assert VALUE not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("value", ["seven-7", "1"])
def test_a_short_secret_is_revealed_with_a_warning_that_does_not_show_it(vault, value) -> None:
    with capture_logs() as events:
        revealed = vault(HEALTH_TOKEN=value).reveal(TOKEN)

    assert revealed == value
    assert events == [{"event": "secret.short", "log_level": "warning", "secret": "$HEALTH_TOKEN", "least": 8}]


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("postgresql://probe:p7@db.test/shop", ["secret.short"]),  # of a DSN the password counts
        ("Bearer x7", ["secret.short"]),
        ("postgresql://probe@db.test/shop", []),
        ("password", ["secret.ordinary_word"]),
        ("redis://:postgresql@cache.test", ["secret.ordinary_word"]),
        ("no-word-of-ours", []),
    ],
)
def test_a_secret_that_cannot_be_hidden_well_is_revealed_with_a_warning(vault, value, told) -> None:
    with capture_logs() as events:
        vault(HEALTH_TOKEN=value).reveal(TOKEN)

    assert [event["event"] for event in events] == told
    assert value not in str(events)


def test_a_secret_of_eight_characters_is_long_enough(vault) -> None:
    with capture_logs() as events:
        vault(HEALTH_TOKEN="eight-88").reveal(TOKEN)

    assert events == []


def test_a_revealed_value_is_known_to_the_redactor_and_an_unused_one_is_not(tmp_path, vault, redactor) -> None:
    (tmp_path / ".env").write_text("UNUSED=nobody-asked-for-it\n")
    opened = vault(HEALTH_TOKEN=VALUE)
    before = redactor.clean(VALUE)

    opened.reveal(TOKEN)

    assert before == VALUE
    assert redactor.clean(f"{VALUE} nobody-asked-for-it") == f"{HIDDEN} nobody-asked-for-it"


def test_a_value_in_a_file_is_known_to_the_redactor(vault, token_file, redactor) -> None:
    token_file.write_text(f"{VALUE}\n")

    vault().reveal(FILE)

    assert redactor.clean(VALUE) == HIDDEN


def test_a_reference_prints_where_the_secret_is_kept() -> None:
    assert (str(TOKEN), str(FILE)) == ("$HEALTH_TOKEN", "secrets/token")


@pytest.mark.parametrize("reference", [{}, {"env": "A", "file": "b"}, {"env": ""}])
def test_a_reference_names_exactly_one_place(reference) -> None:
    with pytest.raises(ValueError, match=r"name one source|at least 1 character"):
        SecretRef.model_validate(reference)


# ---------------------------------------------------------------- from pipes


@contextmanager
def pipe_with(text: bytes) -> Iterator[Path]:
    """The reading end of a pipe, as a shell names its process substitution."""
    read, write = os.pipe()
    os.write(write, text)
    os.close(write)
    try:
        yield Path(f"/dev/fd/{read}")
    finally:
        os.close(read)


def test_a_secret_of_a_pipe_is_read_once_and_revealed_each_time(vault) -> None:
    with pipe_with(f"{VALUE}\n".encode()) as pipe:
        opened, secret = vault(), SecretRef(file=pipe)
        opened.prepare([secret, secret])

        assert [opened.reveal(secret) for _ in range(2)] == [VALUE, VALUE]


def test_a_pipe_that_was_empty_is_a_missing_secret_and_not_waited_for_again(vault, refused) -> None:
    with pipe_with(b"") as pipe:
        opened = vault()
        opened.prepare([SecretRef(file=pipe)])

    error, _ = refused(opened, SecretRef(file=pipe))

    assert error.reason is Reason.MISSING_SECRET


@pytest.mark.parametrize("text", [b"x" * (1 << 20), b"\xff\xfe"], ids=["huge", "no text"])
def test_a_pipe_that_gives_no_secret_is_refused_and_none_of_it_is_told(tmp_path, vault, text) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    def write() -> None:
        with suppress(BrokenPipeError), pipe.open("wb", buffering=0) as opened:
            opened.write(text + VALUE.encode())

    threading.Thread(target=write, daemon=True).start()

    with pytest.raises(ConfigError, match="cannot be read") as caught:
        vault().prepare([SecretRef(file=pipe)])

    assert VALUE not in "".join(traceback.format_exception(caught.value))


def test_an_empty_pipe_is_a_missing_secret_and_is_not_read_again(vault, refused, monkeypatch) -> None:
    with pipe_with(b"") as pipe:
        opened = vault()
        opened.prepare([SecretRef(file=pipe)])
        monkeypatch.setattr(secrets, "read_file", None)

        error, _ = refused(opened, SecretRef(file=pipe))

    assert error.detail == f"the file {pipe} is empty"


@pytest.mark.parametrize("error", [PermissionError(13, "Permission denied"), ValueError("embedded null byte")])
def test_what_is_wrong_with_a_file_is_told_by_the_probe_that_needs_it(vault, token_file, monkeypatch, error) -> None:
    def refuse(_path: Path) -> None:
        raise error

    opened = vault()
    with monkeypatch.context() as patch:
        patch.setattr(Path, "stat", refuse)
        opened.prepare([FILE, TOKEN])

    token_file.write_text("x" * (1 << 20) + VALUE)
    opened.prepare([FILE])
    with pytest.raises(ProbeFailedError, match="larger than 1 MiB"):
        opened.reveal(FILE)


def test_every_secret_is_known_to_the_redactor_before_it_is_revealed(vault, token_file, redactor) -> None:
    token_file.write_text("secret-of-a-file")

    vault(HEALTH_TOKEN=VALUE).prepare([TOKEN, FILE, SecretRef(env="ABSENT")])

    assert redactor.clean(f"{VALUE} secret-of-a-file") == f"{HIDDEN} {HIDDEN}"


def test_of_a_secret_that_is_revealed_again_nothing_is_told_again(vault) -> None:
    opened = vault(HEALTH_TOKEN="pw1")

    with capture_logs() as events:
        opened.prepare([TOKEN])
        opened.reveal(TOKEN)

    assert [event["event"] for event in events] == ["secret.short"]


def test_all_references_in_settings_are_found() -> None:
    class Deep(BaseModel):
        one: SecretRef
        none: SecretRef | None = None
        many: dict[str, list[SecretRef]]

    found = secret_refs([Deep(one=TOKEN, many={"a": [FILE], "b": []}), "text", 3])

    assert list(found) == [TOKEN, FILE]
