"""What a release is, and what a record is of: a report, the answer of an interface, the output of a program."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

COMMIT_PATTERN: Final = r"[0-9a-f]{7,64}"  # abbreviated or whole, SHA-1 or SHA-256
DIGEST_PATTERN: Final = r"sha256:[0-9a-f]{64}"
_SHOWN: Final = 12  # characters of a commit or a digest in a text


def is_commit(text: str) -> bool:
    """Return whether a text is the hexadecimal name of a commit, of at least seven digits."""
    return re.fullmatch(COMMIT_PATTERN, text) is not None


def is_digest(text: str) -> bool:
    """Return whether a text is the digest of an image."""
    return re.fullmatch(DIGEST_PATTERN, text) is not None


def is_same_commit(one: str, other: str) -> bool:
    """Return whether two names are of one commit; the shorter one may be an abbreviation."""
    return one.startswith(other) or other.startswith(one)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """The known facts of a release: its version, its commit, the digests of its images, and the release before it."""

    release: str | None = None
    commit: str | None = None
    images: Mapping[str, str] = field(default_factory=dict)  # name -> digest
    previous: str | None = None

    def completed(self, other: Identity) -> Identity:
        """Return this identity with the other's facts where it has none."""
        return Identity(
            release=self.release or other.release,
            commit=self.commit or other.commit,
            images={**other.images, **self.images},
            previous=self.previous or other.previous,
        )

    def differences(self, other: Identity) -> Iterator[tuple[str, str, str]]:
        """Yield each fact that both know differently: its name, its value here and the other's."""
        for name in ("release", "previous"):
            one, two = getattr(self, name), getattr(other, name)
            if one and two and one != two:
                yield name if name == "release" else "previous release", one, two
        if self.commit and other.commit and not is_same_commit(self.commit, other.commit):
            yield "commit", self.commit, other.commit
        for name in sorted(self.images.keys() & other.images.keys()):
            if self.images[name] != other.images[name]:
                yield f"image {name}", self.images[name], other.images[name]

    def __str__(self) -> str:
        parts = [self.release or ""]
        parts += [f"commit {self.commit[:_SHOWN]}"] if self.commit else []
        parts += [f"image {name} {short_digest(digest)}" for name, digest in sorted(self.images.items())]
        return ", ".join(filter(None, parts))


def short_digest(digest: str) -> str:
    """Return the beginning of a digest, for a text."""
    algorithm, _, digits = digest.partition(":")
    return f"{algorithm}:{digits[:_SHOWN]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What a record is of, when it was made, by what, and where it lies; None or empty where it does not say."""

    release: str | None = None
    commit: str | None = None
    digest: str | None = None
    made: datetime | None = None
    by: str = ""
    place: str = ""
    unreadable: str = ""  # why one of its facts cannot be read

    @property
    def is_known(self) -> bool:
        """Whether it says what it is of, or when it was made."""
        return bool(self.subject or self.made)

    def __str__(self) -> str:
        parts = [f"of {self.subject}"] if self.subject else []
        parts += [f"made {self.made.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"] if self.made else []
        parts += [f"by {self.by}"] if self.by else []
        parts += [f"at {self.place}"] if self.place else []
        return ", ".join(parts)

    @property
    def subject(self) -> str:
        """Return what it is of, for a text; empty where it does not say."""
        parts = [self.release or ""]
        parts += [f"commit {self.commit[:_SHOWN]}"] if self.commit else []
        parts += [f"digest {short_digest(self.digest)}"] if self.digest else []
        return ", ".join(filter(None, parts))
