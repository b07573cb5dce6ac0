"""Decode a text as other software does (escapes, base64, hexadecimal), with the origin of each byte."""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import unhexlify
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from html import unescape
from itertools import accumulate
from typing import Final

Span = tuple[int, int]

_LAYERS: Final = 3  # nested escapes, such as double percent-encoding in JSON
# RFC 3986 section 2.1; HTML's character references; escapes of JSON (RFC 8259 section 7), of C and of Python
_ESCAPE: Final = re.compile(
    rb"""%[0-9A-Fa-f]{2}
    | &\#[xX][0-9A-Fa-f]{1,16};? | &\#[0-9]{1,16};? | &[A-Za-z][A-Za-z0-9]{1,31};
    | \\u[dD][89abAB][0-9A-Fa-f]{2}\\u[dD][c-fC-F][0-9A-Fa-f]{2}
    | \\u[0-9A-Fa-f]{4} | \\U[0-9A-Fa-f]{8} | \\u\{[0-9A-Fa-f]{1,6}\}
    | \\x[0-9A-Fa-f]{2} | \\[0-7]{3} | \\["'\\/bfnrt]""",
    re.VERBOSE,
)
_LETTERS: Final = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t"}

# Runs that may encode eight bytes; without one, nothing is decoded.
_SOME_BASE64: Final = re.compile(rb"[A-Za-z0-9+/_-]{11}")
_SOME_HEX: Final = re.compile(rb"[0-9A-Fa-f]{16}")
_SOME_SPACED_HEX: Final = re.compile(rb"(?:[0-9A-Fa-f]{2}[^0-9A-Za-z]){7}[0-9A-Fa-f]{2}")

_BASE64: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_TO_BASE64: Final = bytes(
    {ord("-"): ord("+"), ord("_"): ord("/")}.get(byte, byte if byte in _BASE64 else ord("A")) for byte in range(256)
)  # both alphabets of RFC 4648; zero bits for any other byte
_TO_HEX: Final = bytes(byte if byte in b"0123456789abcdefABCDEF" else ord("0") for byte in range(256))


@dataclass(frozen=True, slots=True)
class View:
    """A decoded text as bytes, and the function from its spans to spans of the original text."""

    data: bytes
    origin: Callable[[int, int], Span] = lambda start, stop: (start, stop)


def views(data: bytes) -> Iterator[View]:
    """Yield the text itself and every decoded view of it.

    The time is proportional to the length of the text: each decoding is one pass over it.
    """
    layer: View | None = View(data)
    for _ in range(_LAYERS + 1):
        if layer is None:
            return
        yield layer
        yield from (_within(layer, inner) for inner in _binary(layer.data))
        inner = unescaped(layer.data)
        layer = _within(layer, inner) if inner else None


def unescaped(data: bytes) -> View | None:
    """The text with one layer of escapes decoded; None where it has none."""
    known = _Decoded()
    decoded = _ESCAPE.sub(lambda match: known[match[0]], data)
    if not known:
        return None
    origins: list[_Origins] = []  # made for the first span: most texts contain no secret

    def origin(start: int, stop: int) -> Span:
        if not origins:
            origins.append(_Origins(data, known))
        return origins[0].of(start, stop)

    return View(decoded, origin)


class _Decoded(dict[bytes, bytes]):
    """A cache of decoded escapes."""

    def __missing__(self, escape: bytes) -> bytes:
        decoded = self[escape] = _decoded(escape)
        return decoded


class _Origins:
    """The origins of the bytes of an unescaped text."""

    def __init__(self, data: bytes, decoded: Mapping[bytes, bytes]) -> None:
        self._escapes = [match.span() for match in _ESCAPE.finditer(data)]
        sizes = [len(decoded[data[start:stop]]) for start, stop in self._escapes]
        shrunk = accumulate(stop - start - size for (start, stop), size in zip(self._escapes, sizes, strict=True))
        self._ends = [stop - by for (_, stop), by in zip(self._escapes, shrunk, strict=True)]  # of each, when decoded
        self._starts = [end - size for end, size in zip(self._ends, sizes, strict=True)]

    def of(self, start: int, stop: int) -> Span:
        """The original span; an escape is included as a whole or not at all."""
        return self._place(start)[0], self._place(stop - 1)[1]

    def _place(self, at: int) -> Span:
        number = bisect_right(self._starts, at) - 1
        if number >= 0 and at < self._ends[number]:
            return self._escapes[number]
        by = self._escapes[number][1] - self._ends[number] if number >= 0 else 0
        return at + by, at + by + 1


def _decoded(escape: bytes) -> bytes:
    """The decoded form of one escape; an unknown HTML name stays."""
    if escape.startswith(b"%"):
        return unhexlify(escape[1:])
    if escape.startswith(b"&"):
        return unescape(escape.decode("ascii")).encode("utf-8", "surrogatepass")
    kind, digits = escape[1:2], escape[2:].strip(b"{}")
    if kind in (b"u", b"U"):
        return _character([int(code, 16) for code in digits.split(rb"\u")])
    if kind == b"x":
        return unhexlify(digits)
    if kind.isdigit():
        return bytes([int(escape[1:], 8) & 0xFF])
    return _LETTERS.get(kind, kind)


def _character(codes: list[int]) -> bytes:
    """A character by its code or its two surrogates; empty for a code beyond Unicode."""
    high, low = codes[0], codes[-1]
    code = high if len(codes) == 1 else 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00)
    return chr(code).encode("utf-8", "surrogatepass") if code <= 0x10FFFF else b""  # noqa: PLR2004  # Unicode's last


def _binary(data: bytes) -> Iterator[View]:
    """The text decoded as base64 and as hexadecimal, from each offset at which a byte may begin."""
    if _SOME_BASE64.search(data):
        letters = data.translate(_TO_BASE64) + b"AAA"
        for phase in range(4):
            whole = letters[phase : phase + (len(letters) - phase) // 4 * 4]
            yield View(b64decode(whole), _of_base64(phase))
    if _SOME_HEX.search(data):
        digits = data.translate(_TO_HEX)
        for phase in range(2):
            whole = digits[phase : phase + (len(digits) - phase) // 2 * 2]
            yield View(unhexlify(whole), _of_hex(phase, 2))
    if _SOME_SPACED_HEX.search(data):
        digits = data.translate(_TO_HEX) + b"0"
        for phase in range(3):
            high, low = digits[phase::3], digits[phase + 1 :: 3]
            pairs = bytearray(2 * min(len(high), len(low)))
            pairs[0::2], pairs[1::2] = high[: len(pairs) // 2], low[: len(pairs) // 2]
            yield View(unhexlify(pairs), _of_hex(phase, 3))


def _of_base64(phase: int) -> Callable[[int, int], Span]:
    """Spans of base64: six bits per character, with the shared characters at both ends included."""
    return lambda start, stop: (phase + start * 8 // 6, phase - (-stop * 8 // 6))


def _of_hex(phase: int, width: int) -> Callable[[int, int], Span]:
    return lambda start, stop: (phase + start * width, phase + (stop - 1) * width + 2)


def _within(outer: View, inner: View) -> View:
    """The inner view, with origins in the original text of the outer view."""

    def origin(start: int, stop: int) -> Span:
        start, stop = inner.origin(start, stop)
        stop = min(stop, len(outer.data))
        return outer.origin(start, stop) if start < stop else (0, 0)

    return View(inner.data, origin)
