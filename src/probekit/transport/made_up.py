"""Detect servers that give the same answer to every path, by requests of two paths that cannot exist."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Final
from urllib.parse import quote
from uuid import uuid4

import httpx

from probekit.model.measurement import ProbeFailedError
from probekit.transport.response import Answer
from probekit.transport.urls import Endpoint, endpoint_of

_COMPARED: Final = 1 << 16  # bytes of a body
_TOKEN: Final = re.compile(
    rb"[\w+/=.-]+|[^\w\s]"
)  # a nonce, a number or a time is one token, or always the same number of tokens

Pair = tuple[Answer, Answer]
Ask = Callable[[str], Awaitable[Answer]]


@dataclass(slots=True)
class MadeUpPaths:
    """The answers of each origin to two paths that cannot exist, once per run, redirect limit and headers."""

    prefix: str = ""  # of the target's paths: outside it another application may answer
    _asked: dict[tuple[Endpoint, str, int, frozenset[tuple[str, str]]], asyncio.Task[Pair | None]] = field(
        default_factory=dict
    )

    async def answers(self, url: str, ask: Ask, follow: int, headers: Mapping[str, str]) -> Pair | None:
        """Both answers, by `ask`; None where one is missing, and the next caller asks again."""
        target = httpx.URL(url)
        prefix = self.prefix if target.path.startswith(f"{self.prefix}/") else ""
        key = endpoint_of(target), prefix, follow, frozenset(headers.items())
        if key not in self._asked:
            urls = [str(target.copy_with(raw_path=f"{prefix}/probekit-{uuid4().hex}".encode())) for _ in range(2)]
            self._asked[key] = asyncio.create_task(_both(ask, urls))
        pair = await asyncio.shield(self._asked[key])
        if pair is None:
            self._asked.pop(key, None)
        return pair


async def _both(ask: Ask, urls: Sequence[str]) -> Pair | None:
    try:
        return await ask(urls[0]), await ask(urls[1])
    except ProbeFailedError:
        return None


def is_alike(answer: Answer, url: str, pair: Pair, *, has_body: bool) -> bool:
    """Whether the answer for a URL equals the server's answers to paths that cannot exist.

    Paths that a body repeats are ignored, and so are parts that differ between the two: a nonce, a time, a request id.
    """
    if not all(_head(one) == _head(answer) for one in pair):
        return False
    if not has_body:
        return True
    paths = [httpx.URL(place).path for place in (url, answer.url, *(one.url for one in pair))]
    theirs, first, second = (_tokens(one.body, paths) for one in (answer, *pair))
    if len(first) != len(second):
        return theirs in (first, second)
    return len(theirs) == len(first) and all(
        token == a for token, a, b in zip(theirs, first, second, strict=True) if a == b
    )


def _head(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.media_type


def _tokens(body: bytes, paths: Sequence[str]) -> list[bytes]:
    """The words and punctuation of a body, without the paths that it may repeat in one of the usual spellings."""
    text = body[:_COMPARED]
    for path in paths:
        if len(path) > 1:
            for spelling in (path, escape(path), path.replace("/", r"\/"), quote(path, safe=""), path[1:]):
                text = text.replace(spelling.encode(), b" ")
    return _TOKEN.findall(text)
