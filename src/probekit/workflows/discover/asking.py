"""Request paths of a running system: few requests, each path once, without answers that a made-up path also gets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urljoin
from uuid import uuid4

from probekit.model.measurement import ProbeFailedError
from probekit.transport.body import DOCUMENT
from probekit.transport.client import ProbeClient
from probekit.transport.response import Answer

MOST_REQUESTS: Final = 50
_RESERVE: Final = 3  # requests that one path may need: itself, and two made-up paths
_LONGEST: Final = timedelta(minutes=1)  # in all
_SILENT: Final = 3  # paths in a row without an answer, after which the search ends
_HOPS: Final = 3  # redirects of / that are followed
_ANYTHING: Final = (
    "a made-up path gets the same answer as some of the usual paths; if that is intended, set catch_all = true "
    "with assertions"
)


@dataclass(kw_only=True)
class Asker:
    """Reads paths below one base_url."""

    base_url: str
    client: ProbeClient
    now: Callable[[], datetime]
    tell: Callable[[str], None]  # called with each path before its request
    named: str | None = None  # the path that the user named: a refusal or a server error counts as its own answer
    clean: Callable[[str], str] = str  # removes the secrets that this process sends
    notes: list[str] = field(default_factory=list)
    locked: dict[str, str] = field(default_factory=dict)  # refusals that made-up paths also get, each with one path
    failures: dict[str, ProbeFailedError] = field(default_factory=dict)  # paths without an answer, and why
    _began: datetime | None = None
    _silent: int = 0
    _known: dict[str, Answer | None] = field(default_factory=dict)
    _folders: dict[str, str] = field(default_factory=dict)  # the refusal of a made-up path in each

    async def root(self) -> Answer:
        """Return the answer of `/`, with redirects followed within the origin.

        Raises:
            ProbeFailedError: there is no answer.
        """
        self.tell(self.base_url)
        return self._cleaned(await self.client.get(f"{self.base_url}/", follow=_HOPS))

    async def read(self, path: str) -> Answer | None:
        """Return the answer of a path, without secrets; None without an answer, or if a made-up path gets the same."""
        if path not in self._known:
            answer = await self.raw(path)
            self._known[path] = self._cleaned(answer) if answer else None
        return self._known[path]

    async def raw(self, path: str, *, most: int = DOCUMENT) -> Answer | None:
        """Return the unredacted answer, with at most so many bytes of body; its text must not be shown."""
        if self._is_over():
            return None
        self.tell(path)
        url = f"{self.base_url}{path}"
        try:
            answer = await self.client.get(url, most=most)
            self._silent = 0
            is_anything = await self.client.answers_anything(url, answer)
        except ProbeFailedError as error:
            self._silent += 1
            self.failures[path] = ProbeFailedError(error.reason, self.clean(error.detail))
            return None
        if answer.denies_access:
            refusal = self.clean(refusal_of(answer))
            if is_anything or await self._folder_refusal(path) == refusal:
                self.locked.setdefault(refusal, path)
                return answer if path == self.named else None
            return answer
        if is_anything and (answer.is_success or answer.is_server_error):
            self.note(_ANYTHING if answer.is_success else f"made-up paths also answer {answer.status}")
        is_own = not is_anything or (path == self.named and answer.is_server_error)
        return answer if is_own else None

    async def is_own(self, answer: Answer) -> bool:
        """Return whether the answer of `/` differs from that of made-up paths."""
        try:
            return not await self.client.answers_anything(f"{self.base_url}/", answer)
        except ProbeFailedError:
            return False

    @property
    def fell_silent(self) -> bool:
        """Whether the last paths all got no answer, which says nothing about a single path."""
        return self._silent >= _SILENT

    def note(self, text: str) -> None:
        """Keep a note for the user, without repetition."""
        if text not in self.notes:
            self.notes.append(text)

    def _is_over(self) -> bool:
        """Return whether the search ends: too many requests, too much time, or no answers."""
        self._began = self._began or self.now()
        if self.client.sent_in_all + _RESERVE > MOST_REQUESTS:
            self.note(f"the limit of {MOST_REQUESTS} requests was reached: not every usual path was tried")
        elif self.fell_silent:
            self.note(f"{_SILENT} paths in a row got no response: the other usual paths were not tried")
        elif self.now() - self._began > _LONGEST:
            self.note("the target answers so slowly that not every usual path was tried")
        else:
            return False
        return True

    async def _folder_refusal(self, path: str) -> str:
        """Return the refusal of a made-up path in the same folder: an API may deny access to all paths below it."""
        folder = path.rpartition("/")[0]
        if folder and folder not in self._folders and not self._is_over():
            try:
                answer = await self.client.get(f"{self.base_url}{folder}/probekit-{uuid4().hex}")
                self._folders[folder] = self.clean(refusal_of(answer)) if answer.denies_access else ""
            except ProbeFailedError:
                self._folders[folder] = ""
        return self._folders.get(folder, "")

    def _cleaned(self, answer: Answer) -> Answer:
        """Return the answer without secrets in its body and headers, which a hostile target may send back."""
        text = self.clean(answer.text)
        headers = tuple((name, self.clean(value)) for name, value in answer.headers)
        body = answer.body if text == answer.text else text.encode("utf-8", "replace")
        return replace(answer, headers=headers, body=body)


def refusal_of(answer: Answer) -> str:
    """Return how an answer refuses access, in words."""
    if answer.is_sign_in:
        return f"it leads to a sign-in page ({answer.redirect})"
    return f"it answers {answer.status}"


def path_within(base_url: str, path: str, location: str) -> str | None:
    """Return the path that a redirect leads to; None if it leaves the origin or is invalid."""
    try:
        leads = urljoin(f"{base_url}{path}", location)
    except ValueError:  # `//[`, of a hostile target
        return None
    return leads.removeprefix(base_url) if leads.startswith(f"{base_url}/") else None
