"""Is a body decoded whole, within its bound, or refused with a reason? Whatever pieces it arrives in."""

from __future__ import annotations

import gzip
import random
import tracemalloc
import zlib
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial

import pytest
from hypothesis import given, strategies as st

from probekit.model.measurement import ProbeFailedError, Reason
from probekit.transport.body import DOCUMENT, BodyDecoder, text_of

gzipped = partial(gzip.compress, mtime=0)  # the same bytes in every process that collects these tests
PLAIN = b'{"status":"ok"}'
NOISE = random.Random(7).randbytes(1000)
ZEROS = bytes(8 * DOCUMENT)
SIGNED = b"f;chunk-signature=0055\r\n" + PLAIN + b"\r\n0;chunk-signature=00aa\r\n\r\n"


def raw(data: bytes, level: int = 9, strategy: int = zlib.Z_DEFAULT_STRATEGY) -> bytes:
    """The data by DEFLATE without a wrapper (RFC 1951)."""
    made = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS, 8, strategy)
    return made.compress(data) + made.flush()


def decoded(codings: str, pieces: Iterable[bytes], most: int = DOCUMENT) -> bytes:
    decoder = BodyDecoder(codings, most)
    for piece in pieces:
        decoder.feed(piece)
    return decoder.end()


def pieces_of(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


@pytest.mark.parametrize("size", [1, 7, 1 << 16], ids="in pieces of {}".format)
@pytest.mark.parametrize(
    ("codings", "wire", "body"),
    [
        ("", PLAIN, PLAIN),
        ("identity", PLAIN, PLAIN),
        ("UTF-8", PLAIN, PLAIN),
        ("none", PLAIN, PLAIN),
        ("aws-chunked", PLAIN, PLAIN),
        ("aws-chunked", SIGNED, SIGNED),  # what a client is sent, it reads
        (" , ;q=1", PLAIN, PLAIN),
        ("aws-chunked, gzip", gzipped(PLAIN), PLAIN),
        ("gzip", gzipped(PLAIN), PLAIN),
        ("GZip", gzipped(PLAIN), PLAIN),
        ("x-gzip", gzipped(PLAIN), PLAIN),
        ("gzip", gzipped(PLAIN[:9]) + gzipped(PLAIN[9:]), PLAIN),
        ("gzip", b"".join(gzipped(bytes((byte,))) for byte in NOISE), NOISE),
        ("gzip", gzipped(b"") * 5 + gzipped(PLAIN) + gzipped(b""), PLAIN),
        ("gzip", gzipped(PLAIN) + bytes(512), PLAIN),  # tar's padding
        ("gzip", gzipped(PLAIN[:9]) + bytes(3) + gzipped(PLAIN[9:]), PLAIN),
        ("gzip", b"", b""),  # a 304's neighbour: headers of a body that is not sent
        ("gzip", gzipped(NOISE, 0), NOISE),
        ("deflate", zlib.compress(PLAIN), PLAIN),
        ("deflate", raw(PLAIN), PLAIN),
        ("deflate", raw(NOISE, level=0), NOISE),
        ("deflate", raw(b""), b""),
        ("deflate", b"", b""),
        ("gzip, gzip", gzipped(gzipped(PLAIN)), PLAIN),
        ("deflate, gzip", gzipped(raw(PLAIN)), PLAIN),
        ("gzip, deflate", zlib.compress(gzipped(PLAIN[:9]) + gzipped(PLAIN[9:])), PLAIN),
        ("gzip,gzip,gzip,gzip", gzipped(gzipped(gzipped(gzipped(PLAIN)))), PLAIN),
    ],
)
def test_a_body_is_what_was_encoded(codings, wire, body, size) -> None:
    assert decoded(codings, pieces_of(wire, size)) == body


@pytest.mark.parametrize("size", [1, 7, 1 << 16], ids="in pieces of {}".format)
@pytest.mark.parametrize(
    ("codings", "wire", "told"),
    [
        ("br", PLAIN, "content coding 'br', which was not requested"),
        ("gzip, ZSTD", PLAIN, "content coding 'zstd'"),
        ("compress", PLAIN, "content coding 'compress'"),
        ("gzip," * 5, PLAIN, "5 content codings"),
        ("gzip," * 10_000, PLAIN, "10000 content codings"),
        ("gzip", PLAIN, "the body is not valid gzip"),
        ("gzip", raw(PLAIN), "the body is not valid gzip"),
        ("gzip", gzipped(PLAIN)[:-1], "gzip body is truncated"),
        ("gzip", gzipped(PLAIN)[:1], "gzip body is truncated"),
        ("gzip", gzipped(PLAIN) + gzipped(PLAIN)[:-9], "gzip body is truncated"),
        ("gzip", gzipped(PLAIN) + gzipped(PLAIN)[:1], "gzip body is truncated"),
        ("gzip", gzipped(PLAIN)[:-8] + bytes(8), "not valid gzip"),  # another checksum
        ("gzip", gzipped(PLAIN) + b"<!-- cached -->", "data after the end of the body is not valid gzip"),
        ("gzip", gzipped(PLAIN) + bytes(9) + b"x" * 20, "data after the end of the body is not valid gzip"),
        ("gzip", gzipped(b"") * 10_001, "more than 10000 gzip members"),
        ("deflate", PLAIN, "the body is not valid deflate"),
        ("deflate", zlib.compress(PLAIN)[:-1], "deflate body is truncated"),
        ("deflate", raw(PLAIN)[:-1], "deflate body is truncated"),
        ("deflate", zlib.compress(PLAIN)[:1], "deflate body is truncated"),
        ("deflate", zlib.compress(PLAIN) + b"x", "data after the end of the body is not valid deflate"),
        ("deflate", zlib.compress(PLAIN) * 2, "data after the end of the body is not valid deflate"),
        ("deflate, gzip", gzipped(raw(PLAIN)[:-1]), "deflate body is truncated"),
        ("gzip", gzipped(ZEROS), "larger than 1 MiB"),
        ("deflate", raw(ZEROS), "larger than 1 MiB"),
        ("gzip, gzip", gzipped(gzipped(ZEROS)), "larger than 1 MiB"),
        ("gzip, gzip", gzipped(gzipped(b"") + ZEROS), "larger than 1 MiB"),  # between two codings
    ],
)
def test_what_is_no_whole_body_has_a_reason(codings, wire, told, size) -> None:
    with pytest.raises(ProbeFailedError, match=told) as caught:
        decoded(codings, pieces_of(wire, size))

    assert caught.value.reason is Reason.BAD_RESPONSE


@pytest.mark.parametrize(
    ("codings", "encode"),
    [("", bytes), ("gzip", gzipped), ("deflate", zlib.compress), ("deflate", raw)],
)
@pytest.mark.parametrize(("most", "told"), [(DOCUMENT, "1 MiB"), (3 << 20, "3 MiB"), (64 << 10, "64 KiB")])
def test_each_use_has_a_bound_of_its_own(codings, encode: Callable[[bytes], bytes], most, told) -> None:
    assert decoded(codings, [encode(bytes(most))], most) == bytes(most)
    with pytest.raises(ProbeFailedError, match=f"larger than {told}"):
        decoded(codings, [encode(bytes(most + 1))], most)


@pytest.mark.parametrize("codings", ["gzip", "gzip, gzip"])
def test_no_more_is_unpacked_than_the_bound_holds(codings) -> None:
    bomb = gzipped(bytes(64 << 20), 1)
    bomb = gzipped(bomb) if codings == "gzip, gzip" else bomb
    tracemalloc.start()

    with pytest.raises(ProbeFailedError, match="larger than 1 MiB"):
        decoded(codings, [bomb])

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5 * DOCUMENT


def test_bytes_on_the_wire_count_as_well() -> None:
    """Empty members give nothing, however many there are."""
    with pytest.raises(ProbeFailedError, match="larger than 1 KiB"):
        decoded("gzip", pieces_of(gzipped(b"") * 100, 100), 1 << 10)


def test_members_are_not_copied_with_all_that_follows_them(monkeypatch) -> None:
    """Of a small answer that an outer coding makes large, each of many members would cost its whole size."""
    handed = []

    class Counted:
        """A decoder of zlib that counts the bytes which it is handed."""

        def __init__(self, wbits: int) -> None:
            self._stream = make(wbits)

        def decompress(self, data: bytes, most: int) -> bytes:
            handed.append(len(data))
            return self._stream.decompress(data, most)

        def __getattr__(self, name: str) -> object:
            return getattr(self._stream, name)

    make = zlib.decompressobj
    monkeypatch.setattr(zlib, "decompressobj", Counted)
    body = bytes(900_000)

    assert decoded("gzip, gzip", [gzipped(gzipped(b"") * 5000 + gzipped(body, 0))]) == body
    assert sum(handed) < 5000 * (1 << 15)


@given(st.binary(max_size=300), st.integers(0, 9), st.integers(zlib.Z_DEFAULT_STRATEGY, zlib.Z_FIXED))
def test_a_deflate_body_without_its_wrapper_is_never_taken_for_one_with_it(data, level, strategy) -> None:
    assert decoded("deflate", [raw(data, level, strategy)]) == data


@given(st.sampled_from(["gzip", "deflate", "gzip, deflate", "utf-8", ""]), st.lists(st.binary(max_size=50), max_size=9))
def test_any_bytes_are_a_body_or_refused(codings, pieces) -> None:
    """No other error than the one that every caller expects."""
    with suppress(ProbeFailedError):
        assert len(decoded(codings, pieces)) <= DOCUMENT


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"", ""),
        ("schön".encode(), "schön"),
        ("schön".encode("utf-8-sig"), "schön"),
        (b"\xff\xfe" + "schön".encode("utf-16-le"), "schön"),
        (b"\xfe\xff" + "schön".encode("utf-16-be"), "schön"),
        (b"\xff\xfeo", "\ufffd"),
        ("schön".encode("latin-1"), "sch\ufffdn"),
        (b"\xef\xbb\xbf" * 2 + b"x", "\ufeffx"),  # one is a mark, the second a character
        (b"x\xef\xbb\xbf", "x\ufeff"),
    ],
)
def test_a_text_is_read_by_its_byte_order_mark(body, text) -> None:
    assert text_of(body) == text
