"""The table [env.NAME.release]: what the release is, as a pipeline states it in values, variables or files."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from probekit.files import read_file
from probekit.model.record import COMMIT_PATTERN, DIGEST_PATTERN, Identity
from probekit.probe import Settings
from probekit.text import one_line_problem

_LARGEST: Final = 4096  # bytes of a file with one fact
_IMAGE_NAME: Final = r"[A-Za-z0-9][A-Za-z0-9._/-]{0,99}"


def commit_of(text: str) -> str:
    """Return the name of a commit in lower case.

    Raises:
        ValueError: it is not one.
    """
    if not re.fullmatch(COMMIT_PATTERN, text.lower()):
        message = "expected a commit of 7 to 64 hexadecimal digits, such as 3f2a9c1"
        raise ValueError(message)
    return text.lower()


def digest_of(text: str) -> str:
    """Return the digest of an image.

    Raises:
        ValueError: it is not one.
    """
    if not re.fullmatch(DIGEST_PATTERN, text):
        message = "expected the digest of an image: sha256: and 64 hexadecimal digits"
        raise ValueError(message)
    return text


def release_of(text: str) -> str:
    """Return the version of a release.

    Raises:
        ValueError: it is empty, too long, or has control characters.
    """
    if problem := one_line_problem(text):
        message = f"it {problem}"
        raise ValueError(message)
    return text


class Source(Settings):
    """The place of a text: written here, or in a variable or file that a pipeline fills."""

    value: str | None = Field(None, description="The value itself; the same as a text in place of this table.")
    env: str | None = Field(None, min_length=1, description="Environment variable, or line in .env, with the value.")
    file: Path | None = Field(None, description="File with the value in one line, from the folder of probes.toml.")

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if [self.value, self.env, self.file].count(None) != 2:  # noqa: PLR2004  # of three
            message = 'name one source: a text, { env = "NAME" } or { file = "PATH" }'
            raise ValueError(message)
        return self

    def __str__(self) -> str:
        return f"variable {self.env}" if self.env else f"file {self.file}"


def _source(written: object) -> object:
    if not isinstance(written, str | Mapping | Source):
        message = 'write a text, { env = "NAME" } or { file = "PATH" }'
        raise ValueError(message)  # noqa: TRY004  # pydantic reports ValueErrors only
    return {"value": written} if isinstance(written, str) else written


def _holding(check: Callable[[str], str]) -> AfterValidator:
    """Return a validator of the value that is written in the file itself."""

    def checked(source: Source) -> Source:
        return source if source.value is None else source.model_copy(update={"value": check(source.value)})

    return AfterValidator(checked)


_ANY: Final = BeforeValidator(_source, json_schema_input_type=str | Source)
_Name = Annotated[Source, _ANY, _holding(release_of)]
_Commit = Annotated[Source, _ANY, _holding(commit_of)]
_Digest = Annotated[Source, _ANY, _holding(digest_of)]
_ImageName = Annotated[str, Field(pattern=f"^{_IMAGE_NAME}$")]


class ReleaseSettings(Settings):
    """The release that this environment is to serve; a value, or the variable or file that a pipeline fills."""

    version: _Name | None = Field(
        None, description="Version of the release; --release and PROBEKIT_RELEASE override it."
    )
    commit: _Commit | None = Field(None, description="Commit that the release was built from.")
    images: dict[_ImageName, _Digest] = Field(
        {}, max_length=100, description="Digest of each image of the release, by the name of the image."
    )
    previous: _Name | None = Field(
        None, description="Version before this release, which a rollback restores. Default: by the record."
    )


class ReleaseError(Exception):
    """A variable or a file holds something else than the fact of a release; the message says what."""


class ReleaseReader:
    """Reads the facts of a release; `notes` says which variables and files are missing."""

    def __init__(self, folder: Path, variables: Mapping[str, str | None]) -> None:
        self._folder = folder
        self._variables = variables
        self.notes: list[str] = []

    def identity(self, settings: ReleaseSettings) -> Identity:
        """Return what is known of the release.

        Raises:
            ReleaseError: a variable or a file does not hold such a fact.
        """
        return Identity(
            release=self._read("version", settings.version),
            commit=self._read("commit", settings.commit),
            images=dict(self._images(settings)),
            previous=self._read("previous", settings.previous),
        )

    def _images(self, settings: ReleaseSettings) -> Iterator[tuple[str, str]]:
        for name, written in settings.images.items():
            if digest := self._read(f"images.{name}", written):
                yield name, digest

    def _read(self, key: str, written: Source | None) -> str | None:
        if written is None or written.value is not None:
            return written.value if written else None
        text = self._text(key, written)
        if text is None:
            return None
        if (lines := len(text.splitlines())) > 1:
            raise ReleaseError(f"release.{key}: {written}: it has {lines} lines, expected one with the value alone")
        check = {"commit": commit_of, "images": digest_of}.get(key.partition(".")[0], release_of)
        try:
            return check(text)
        except ValueError as error:
            raise ReleaseError(f"release.{key}: {written}: {error}") from None

    def _text(self, key: str, written: Source) -> str | None:
        """Return the text without the white space around it; None, with a note, if there is none."""
        if written.env is not None:
            text = (self._variables.get(written.env) or "").strip()
            why = "is not set"
        else:
            text, why = self._of_file(key, written)
        if not text:
            self.notes.append(f"release.{key} is not known: {written} {why}")
        return text or None

    def _of_file(self, key: str, written: Source) -> tuple[str, str]:
        try:
            return read_file(self._folder / str(written.file), largest=_LARGEST).decode().strip(), "is empty"
        except FileNotFoundError:
            return "", "does not exist"
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "it is not text"
            raise ReleaseError(f"release.{key}: {written} cannot be read: {reason}") from None
