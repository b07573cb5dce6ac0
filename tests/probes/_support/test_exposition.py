"""The text format of Prometheus: what its own client writes is read back, what is malformed is refused by its line."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, strategies as st
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Summary, generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.parser import text_string_to_metric_families

from probekit.model.measurement import ProbeFailedError, Reason
from probekit.probes._support.exposition import MOST_LINES, MOST_SAMPLES, Sample, parse


@pytest.mark.parametrize(
    ("line", "sample"),
    [
        (b"a 1", Sample("a", {}, 1)),
        (b"a 1 1700000000000", Sample("a", {}, 1)),
        (b"  a\t-1.5e3  ", Sample("a", {}, -1500)),
        (b"a .5", Sample("a", {}, 0.5)),
        (b"a 42.", Sample("a", {}, 42)),
        (b"a +Inf", Sample("a", {}, float("inf"))),
        (b"a{} 1", Sample("a", {}, 1)),
        (b'a{x="1"}1', Sample("a", {"x": "1"}, 1)),
        (b'a {x="1",} 1', Sample("a", {"x": "1"}, 1)),
        (b'a{ x = "1" , y = "" } 1', Sample("a", {"x": "1", "y": ""}, 1)),
        (b'a{x="} 1 # {,=\\"\\\\\\n"} 2', Sample("a", {"x": '} 1 # {,="\\\n'}, 2)),
        (b'a{x="C:\\Temp"} 1', Sample("a", {"x": "C:\\Temp"}, 1)),  # as Prometheus itself takes it
        ('a{x="\u00e9\u2028\x85"} 1'.encode(), Sample("a", {"x": "\u00e9\u2028\x85"}, 1)),
        (b'{"a.b",x="1"} 1', Sample("a.b", {"x": "1"}, 1)),
        (b'a{"x.y"="1"} 1', Sample("a", {"x.y": "1"}, 1)),
        (b'a_bucket{le="1"} 3 # {trace="x"} 0.1 1700000000.5', Sample("a_bucket", {"le": "1"}, 3)),
        (b"a 1\r", Sample("a", {}, 1)),
    ],
)
def test_a_line_is_a_sample(line, sample) -> None:
    assert parse(b"# HELP a b\n\n#\n" + line + b"\nz 1\n").samples == (sample, Sample("z", {}, 1))
    assert parse(line).samples == (sample,)  # the last line may end without a line feed


@pytest.mark.parametrize(
    "line",
    [
        b"<html>sign in</html>",
        b"a",
        b" 1",
        b"a 1 2 3",  # 1 234 567 with blanks for thousands
        b"a 1,5",
        b"a 1_0",
        b"a 0x10",
        b"a one",
        "a \u0661".encode(),  # a digit of another script
        b"a 1 late",
        b"1a 1",
        b"a-b 1",
        b"a\0 1",
        b"a 1\rb 2",
        b"{} 1",
        b'a{x="1"',
        b'a{x="1} 1',
        b'a{x="1"}} 1',
        b'a{x="1"} ',
        b'a{x="1"}b 1',
        b'a{x="1"y="2"} 1',
        b'a{,x="1"} 1',
        b'a{x="1",,y="2"} 1',
        b"a{x=1} 1",
        b'a{1x="1"} 1',
        b'a{x="1",x="1"} 1',
        b'a{"b",x="1"} 1',
        b'a{x="1"} 1 # {trace="x"',
        b"# TYPE a",
        b"# TYPE a counter gauge",
        b"# TYPE a clock",
        b'a{x="\xff"} 1',
    ],
)
def test_what_is_malformed_is_refused_by_its_line(line) -> None:
    with pytest.raises(ProbeFailedError, match=r"^bad_response: line 3 is not in Prometheus' text format: ") as failed:
        parse(b"# HELP a b\nz 1\n" + line + b"\nz 2\n")

    assert failed.value.reason is Reason.BAD_RESPONSE


def test_only_what_is_asked_for_is_given_and_every_line_is_checked() -> None:
    page = b'# TYPE a counter\na{x="1"} 1\nb{x="1"} 2\n{"c"} 3\n# TYPE b.c gauge'

    with pytest.raises(ProbeFailedError, match="line 5"):
        parse(page, {"a"})
    found = parse(page.rpartition(b"\n")[0], {"a", "c"})

    assert found.samples == (Sample("a", {"x": "1"}, 1), Sample("c", {}, 3))
    assert found.types == {"a": "counter"}


@pytest.mark.parametrize("write", [generate_latest, generate_openmetrics])
def test_what_prometheus_own_client_writes_is_read_back(write) -> None:
    registry = CollectorRegistry()
    requests = Counter("requests", "By status.\nAnd \\ more.", ["path", "status"], registry=registry)
    requests.labels('a"\\\n', "200").inc(7)
    Counter("never", "Nothing yet.", ["status"], registry=registry)
    Gauge("queue", "Depth.", registry=registry).set(-1.5e-7)
    Summary("size", "Bytes.", registry=registry).observe(3)
    Histogram("took_seconds", "Duration.", registry=registry).observe(0.3, {"trace": "x"})

    found = parse(write(registry))

    by_series = {(name, *labels.values()): value for name, labels, value in found.samples}
    assert by_series["requests_total", 'a"\\\n', "200"] == 7
    assert by_series["queue",] == -1.5e-7
    assert by_series["size_count",] == 1
    assert (by_series["took_seconds_bucket", "0.25"], by_series["took_seconds_bucket", "+Inf"]) == (0, 1)
    assert {"counter", "gauge", "summary", "histogram"} <= set(found.types.values())
    assert {name.removesuffix("_total") for name, kind in found.types.items() if kind == "counter"} >= {"never"}


WORD = st.from_regex(r"[a-z][a-z0-9_]{0,5}", fullmatch=True)
TEXT = st.text(st.characters(exclude_characters="\r", exclude_categories=["Cs"]), max_size=5)


@pytest.mark.heavy
@given(st.lists(st.tuples(WORD, st.dictionaries(WORD, TEXT, max_size=3), st.floats()), min_size=1))
def test_it_reads_what_prometheus_own_parser_reads(series) -> None:
    def pair(key, text):
        escaped = re.sub(r'[\\"]', r"\\\g<0>", text).replace("\n", "\\n")
        return f'{key}="{escaped}"'

    lines = [f"{name}{{{','.join(map(pair, labels, labels.values()))}}} {value!r}\n" for name, labels, value in series]
    page = "".join(lines)
    theirs = [
        (sample.name, sample.labels, repr(float(sample.value)))
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    ]

    assert [(name, labels, repr(value)) for name, labels, value in parse(page.encode()).samples] == theirs


@pytest.mark.parametrize(
    ("page", "told"),
    [
        (b"a 1\n" * (MOST_SAMPLES + 1), "more than 50000 samples"),
        (b"\n" * (MOST_LINES + 1), "more than 200000 lines"),
    ],
)
def test_a_page_without_end_is_left(page, told) -> None:
    with pytest.raises(ProbeFailedError, match=told):
        parse(page)


@pytest.mark.parametrize(
    "page",
    [
        b"# HELP a" + b" " * 4_000_000 + b"x",
        b"# TYPE a" + b" " * 4_000_000 + b"x",
        b'a{x="' + b'\\"' * 2_000_000 + b"} 1",
        b'a{x="' + b"\\" * 4_000_001 + b'"} 1',
        b"a{" + b'x="1",' * 600_000 + b" 1",
        b"a" + b" " * 4_000_000 + b"x",
        b"a " + b"1" * 4_000_000 + b"x",
        b"a" * 4_000_000,
    ],
    ids=lambda page: page[:12].decode(),
)
def test_reading_takes_no_longer_than_the_page_is_long(page) -> None:
    began = time.process_time()

    try:
        parse(page)
    except ProbeFailedError as error:
        assert "line 1" in error.detail  # noqa: PT017  # some of these pages are malformed, some are not

    assert time.process_time() - began < 10  # it takes a tenth of a second; where text is read again, a day
