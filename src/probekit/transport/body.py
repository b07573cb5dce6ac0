"""Decode the content codings of a body within a size limit, and read it as text."""

from __future__ import annotations

import codecs
import zlib
from typing import Final

from probekit.model.measurement import ProbeFailedError, Reason

DOCUMENT: Final = 1 << 20  # bytes of a body that is read as a document, after decompression
PAGE: Final = 8 << 20  # bytes of a body of which only the size or the beginning is read
_MOST_CODINGS: Final = 4  # content codings of one body; each needs a window of 32 KiB
_MOST_MEMBERS: Final = 10_000  # of a gzip body; an empty one has 20 bytes and takes as much time as a large one
_AT_ONCE: Final = 1 << 14  # bytes per call of zlib
_DECODED: Final = frozenset(("gzip", "x-gzip", "deflate"))
_NOT_DECODED: Final = frozenset((  # the rest of IANA's registry of content codings (RFC 9110 section 16.6.1)
    "aes128gcm", "br", "compress", "dcb", "dcz", "exi", "pack200-gzip", "x-compress", "zstd",
))  # fmt: skip
_ANY_WRAPPER: Final = 32 + zlib.MAX_WBITS  # of RFC 1950 or RFC 1952, by the first bytes
_RAW: Final = -zlib.MAX_WBITS
_ZLIB_METHOD: Final = 8  # the low four bits of a zlib header
_ZLIB_CHECK: Final = 31  # the first two bytes are a multiple of it
_GZIP_MAGIC: Final = b"\x1f\x8b"
_MARKS: Final = {  # byte order marks, as a browser reads them (Encoding Standard, "BOM sniff")
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_BE: "utf-16-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
}


def text_of(body: bytes) -> str:
    """The body as text, decoded by its byte order mark or as UTF-8; invalid bytes become U+FFFD."""
    mark = next((mark for mark in _MARKS if body.startswith(mark)), b"")
    return body[len(mark) :].decode(_MARKS.get(mark, "utf-8"), "replace")


class BodyDecoder:
    """Decodes the content codings of one body while it arrives.

    Args:
        codings: the values of its Content-Encoding, in the order in which they were applied (RFC 9110 section 8.4).
            A name that is not registered (`utf-8`, `none`, `aws-chunked`) is ignored.
        most: maximum bytes of the body, on the wire and after each coding.

    Raises:
        ProbeFailedError: `bad_response`: an unsupported coding, or too many of them.
    """

    def __init__(self, codings: str, most: int) -> None:
        names = [name.strip().lower() for name in codings.split(",")]
        if unread := next((name for name in names if name in _NOT_DECODED), None):
            raise ProbeFailedError(
                Reason.BAD_RESPONSE, f"the body has the content coding '{unread}', which was not requested"
            )
        applied = [name for name in names if name in _DECODED]
        if len(applied) > _MOST_CODINGS:
            detail = f"the body has {len(applied)} content codings, at most {_MOST_CODINGS} are supported"
            raise ProbeFailedError(Reason.BAD_RESPONSE, detail)
        self._most = most
        self._arrived = 0
        self._layers = [_Inflater(name, most) for name in reversed(applied)]
        self._body = bytearray()

    def feed(self, chunk: bytes) -> None:
        """Add the next bytes of the body.

        Raises:
            ProbeFailedError: `bad_response`: it is too large, or does not match its content coding.
        """
        self._arrived += len(chunk)
        if self._arrived > self._most:
            raise _too_large(self._most)
        for layer in self._layers:
            chunk = layer.feed(chunk)
        self._body += chunk

    def end(self) -> bytes:
        """The whole body.

        Raises:
            ProbeFailedError: `bad_response`: the compressed data is truncated.
        """
        for layer in self._layers:
            layer.end()
        return bytes(self._body)


class _Inflater:
    """One content coding that zlib decodes.

    `gzip` is a series of members (RFC 1952 section 2.2). `deflate` is one zlib stream (RFC 9110 section 8.4.1.2), which
    some servers send without its wrapper. Zero bytes may follow as padding; any other byte is an error.
    """

    def __init__(self, coding: str, most: int) -> None:
        self._coding = coding
        self._most = most
        self._left = most  # bytes that may still be decoded
        self._held = b""  # the first byte, which alone does not identify the wrapper
        self._stream: zlib._Decompress | None = None
        self._ended = 0  # completed streams

    def feed(self, data: bytes) -> bytes:
        """The decoded bytes; decoded in pieces, because zlib copies the data after a member."""
        return b"".join(self._fed(data[at : at + _AT_ONCE]) for at in range(0, len(data), _AT_ONCE))

    def _fed(self, data: bytes) -> bytes:
        data, self._held = self._held + data, b""
        decoded = bytearray()
        while data:
            if self._stream is None:
                data = data.lstrip(b"\0") if self._ended else data
                self._stream = self._next_stream(data)
            if self._stream is None:
                break
            decoded += self._decompress(self._stream, data)
            data = self._stream.unused_data
            if self._stream.eof:
                self._stream, self._ended = None, self._ended + 1
            if self._ended > _MOST_MEMBERS:
                detail = f"the body has more than {_MOST_MEMBERS} gzip members"
                raise ProbeFailedError(Reason.BAD_RESPONSE, detail)
        return bytes(decoded)

    def end(self) -> None:
        """Check that the data is complete; a body without bytes is empty."""
        if self._stream is not None or self._held:
            raise ProbeFailedError(Reason.BAD_RESPONSE, f"the {self._coding} body is truncated")

    def _next_stream(self, data: bytes) -> zlib._Decompress | None:
        """A decoder for the next stream; None where there is none, or too few bytes to identify it."""
        if self._ended and data and self._coding == "deflate":
            raise self._invalid()
        if not self._ended and self._coding == "deflate" and len(data) == 1:
            self._held = data
            return None
        is_raw = self._coding == "deflate" and not _has_wrapper(data)
        return zlib.decompressobj(_RAW if is_raw else _ANY_WRAPPER) if data else None

    def _decompress(self, stream: zlib._Decompress, data: bytes) -> bytes:
        try:
            decoded = stream.decompress(data, self._left + 1)
        except zlib.error as error:
            raise self._invalid() from error
        self._left -= len(decoded)
        if self._left < 0:
            raise _too_large(self._most)
        return decoded

    def _invalid(self) -> ProbeFailedError:
        what = "data after the end of the body" if self._ended else "the body"
        return ProbeFailedError(Reason.BAD_RESPONSE, f"{what} is not valid {self._coding}")


def _has_wrapper(data: bytes) -> bool:
    """Whether a body begins with a zlib (RFC 1950 section 2.2) or gzip header, not with a raw deflate block."""
    is_zlib = data[0] & 0x0F == _ZLIB_METHOD and int.from_bytes(data[:2], "big") % _ZLIB_CHECK == 0
    return is_zlib or data.startswith(_GZIP_MAGIC)


def _too_large(most: int) -> ProbeFailedError:
    units = ((1 << 20, "MiB"), (1 << 10, "KiB"), (1, "bytes"))
    size = next(f"{most // unit} {name}" for unit, name in units if not most % unit)
    return ProbeFailedError(Reason.BAD_RESPONSE, f"the body is larger than {size}")
