"""What a target has counted itself: differences per block and process, never across a restart."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from probekit.engine.windows import put_together
from probekit.model.measurement import Reason
from probekit.model.readings import Histogram, Share
from probekit.probe import Context, ProbeFailedError, Window
from probekit.probes.scrape import KIND
from probekit.transport.client import Http
from probekit.transport.resolver import Resolver

START = datetime(2026, 11, 23, 10, tzinfo=UTC)


def metrics(*, good=0, bad=0, quick=0, slow=0, start=1000.0, process="", more=""):
    """A page of metrics: requests by status, and how many of them took up to 0.5 s, and longer."""
    who = f',pid="{process}"' if process else ""
    only = f'{{pid="{process}"}}' if process else ""
    return f"""\
# HELP http_requests_total Requests.
# TYPE http_requests_total counter
http_requests_total{{status="200",handler="/api"{who}}} {good}
http_requests_total{{status="503",handler="/api"{who}}} {bad}
http_requests_total{{status="200",handler="/health"{who}}} 1000000
# TYPE http_request_duration_seconds histogram
http_request_duration_seconds_bucket{{le="0.25"{who}}} {quick}
http_request_duration_seconds_bucket{{le="0.5"{who}}} {quick}
http_request_duration_seconds_bucket{{le="+Inf"{who}}} {quick + slow}
http_request_duration_seconds_sum{only} 1
http_request_duration_seconds_count{only} {quick + slow}
# TYPE process_start_time_seconds gauge
process_start_time_seconds{only} {start}
{more}"""


@pytest.fixture
def sampled(serve, http_reply):
    """A function from the pages of the scrapes to the readings of the blocks between them."""

    async def sampled(*pages, headers=None, **settings):
        replies = iter(
            http_reply(page.encode(), **(headers or {"Content_Type": "text/plain; version=0.0.4"})) for page in pages
        )

        async def answer(reader, writer):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(next(replies))
            await writer.drain()

        port, _ = await serve(act=answer)
        clock = {"now": START}

        async def sleep(seconds):
            clock["now"] += timedelta(seconds=seconds)

        window = Window(block=10.0, least=len(pages) - 1, goes_on=lambda: False, now=lambda: clock["now"], sleep=sleep)
        http = Http(run="test", resolver=Resolver(look_up=lambda _: ("127.0.0.1",)), rate=(1000, 1.0))
        context = Context(
            base_url=f"http://app.test:{port}",
            timeout=2,
            http=http.probe_client(timeout=2),
            reveal=str,
            now=lambda: clock["now"],
            window=window,
        )
        given = {
            "kind": "scrape",
            "path": "/metrics",
            "requests": "http_requests_total",
            "duration": "http_request_duration_seconds",
            "without": {"handler": ("/health",)},
        }
        config = KIND.config.model_validate(given | settings)
        return put_together([readings async for readings in KIND.sample(config, context)])

    return sampled


async def test_each_block_is_the_difference_of_two_scrapes(sampled) -> None:
    readings = await sampled(
        metrics(good=100, bad=1, quick=90, slow=11),
        metrics(good=150, bad=3, quick=140, slow=13),
        metrics(good=150, bad=3, quick=140, slow=13),
    )

    assert readings.values["error_rate"] == Share((2, 0), (52, 0))
    assert readings.values["p95"] == Histogram((250.0, 500.0), ((50, 50), (0, 0)), (52, 0), 0.95)
    assert readings.values["p50"].q == 0.5


@pytest.mark.parametrize(("settings", "ours"), [({}, ()), ({"without": {}}, (1, 1))])
async def test_our_own_requests_are_counted_unless_a_label_leaves_them_out(sampled, settings, ours) -> None:
    readings = await sampled(
        metrics(good=100, quick=100), metrics(good=150, quick=150), metrics(good=150, quick=150, bad=9), **settings
    )

    assert readings.values["error_rate"].own_requests == ours
    assert readings.values["p95"].own_requests == (ours and (1, 0))  # never more than there are


async def test_a_restart_is_left_out_and_told(sampled) -> None:
    readings = await sampled(
        metrics(good=100),
        metrics(good=5, start=2000.0),
        metrics(good=25, bad=1, start=2000.0),
        metrics(good=3, start=3000.0),
    )

    assert readings.values["error_rate"] == Share((0, 1, 0), (0, 21, 0))
    assert "a restarted or new process is left out" in readings.summary


async def test_processes_behind_one_address_are_kept_apart(sampled) -> None:
    readings = await sampled(
        metrics(good=100, process="1"),
        metrics(good=5000, process="2", start=1100.0),
        metrics(good=130, bad=2, process="1"),
        metrics(good=5010, process="2", start=1100.0),
        process="pid",
    )

    assert readings.values["error_rate"] == Share((0, 2, 0), (0, 32, 10))


async def test_a_start_without_the_label_of_a_process_is_that_of_all(sampled) -> None:
    def page(start, **counts):
        return metrics(process="1", **counts).replace('seconds{pid="1"} 1000.0', f"seconds {start}")

    readings = await sampled(
        page(1.0, good=100), page(1.0, good=130), page(2.0, good=7), page(2.0, good=9), process="pid"
    )

    assert readings.values["error_rate"] == Share((0, 0, 0), (30, 0, 2))


async def test_only_series_with_the_declared_labels_count(sampled) -> None:
    extra = 'http_requests_total{status="503",handler="/api",service="other"} '
    pages = [metrics(good=1, more=f"{extra}{count}\n") for count in (0, 50)]

    readings = await sampled(*pages, without={"handler": ("/health",), "service": ("other",)})
    assert readings.values["error_rate"] == Share((0,), (0,))

    only = await sampled(*pages, where={"service": "other"}, duration=None)
    assert only.values["error_rate"] == Share((50,), (50,))


async def test_what_is_declared_an_error_is_one(sampled) -> None:
    pages = [metrics(good=0, bad=0), metrics(good=10, bad=1)]

    readings = await sampled(*pages, errors=("5", "2"), duration=None)

    assert readings.values["error_rate"] == Share((11,), (11,))
    assert "p95" not in readings.values


@pytest.mark.parametrize(
    ("page", "told"),
    [
        ("<html>sign in</html>", "line 1 is not in Prometheus' text format"),
        ("", "no series 'http_requests_total' of a counter: it has no TYPE line"),
        ("a 1\nhttp_requests_total{status=", "line 2 is not in Prometheus' text format"),
        ("http_requests_total 12 13 14 15 x", "line 1"),
        ("\x00\xff{}}}{", "line 1"),
        (metrics().replace("status=", "wrong=").replace("counter", "gauge"), "no label 'status'"),
        (metrics().replace("http_requests_total{", "other{").replace("counter", "gauge"), "is declared as gauge"),
        (metrics().replace("_bucket{", "{").replace("le=", "quantile=").replace("histogram", "summary"), "_count"),
        (metrics().replace('le="0.25"', 'le="many"'), "bucket"),
        (metrics().replace('le="+Inf"', 'le="9"'), "no +Inf bucket"),
        (metrics().replace("status=", "code="), "no label 'status'"),
        (metrics().replace('le="0.5"', 'le="-1"'), "bucket"),
        (metrics().replace("http_request_duration_seconds_bucket", "other"), "no series 'http_request_duration"),
        (metrics(more='http_requests_total{status="500",handler="/x"} NaN'), "which is not a valid counter"),
        (metrics(more='http_requests_total{status="500",handler="/x"} -1'), "which is not a valid counter"),
        (metrics(more='http_requests_total{status="500",handler="/x"} 1e308'), "which is not a valid counter"),
        (metrics().replace('le="0.5"', 'le="1e306"'), "a bucket has no valid edge"),
        (metrics(more='http_requests_total{status="Total",handler="/x"} 9'), 'without = { status = ["Total"] }'),
        (metrics(more='http_requests_total{status="200",handler="/api"} 9'), "is listed twice"),
        (metrics(more='http_request_duration_seconds_bucket{le="0.50"} 9'), "is listed twice"),
        (metrics(more="process_start_time_seconds 7"), "is listed twice"),
        (metrics(more='http_request_duration_seconds_bucket{x="y",le="+Inf"} 9'), "different edges"),
    ],
)
async def test_what_are_no_metrics_is_no_reading(sampled, page, told) -> None:
    with pytest.raises(ProbeFailedError) as failed:
        await sampled(page, page)

    assert failed.value.reason is Reason.BAD_RESPONSE
    assert told in failed.value.detail


def uncounted(page, *names):
    """The page without the samples of these names."""
    return "".join(line for line in page.splitlines(keepends=True) if not line.startswith(names))


@pytest.mark.parametrize(
    "pages",
    [
        (metrics(good=100), metrics(good=90), metrics(good=200)),  # the same start
        (metrics(good=100, slow=9), metrics(good=110, slow=8)),
        (metrics(bad=5), uncounted(metrics(good=100), 'http_requests_total{status="503"'), metrics(good=200, bad=6)),
        tuple(uncounted(metrics(good=good, bad=bad), "process") for good, bad in ((1, 0), (600, 7), (2, 0), (601, 7))),
    ],
    ids=["fell", "a bucket fell", "a series vanished", "two replicas that tell no start"],
)
async def test_a_counter_that_falls_without_a_restart_leaves_the_whole_window_open(sampled, pages) -> None:
    with pytest.raises(ProbeFailedError, match="several processes answer at this address") as failed:
        await sampled(*pages)

    assert failed.value.reason is Reason.BAD_RESPONSE


async def test_replicas_behind_one_address_are_told_apart_by_their_start(sampled) -> None:
    one, other = {"start": 1000.0}, {"start": 1100.0}

    readings = await sampled(
        metrics(good=100, **one),
        metrics(good=9000, bad=700, **other),
        metrics(good=130, **one),
        metrics(good=9020, bad=701, **other),
    )

    assert readings.values["error_rate"] == Share((0, 0, 1), (0, 30, 21))


@pytest.mark.parametrize(
    "change",
    [
        lambda page: page.replace('le="0.25"', 'le="0.1"'),
        lambda page: uncounted(page, 'http_request_duration_seconds_bucket{le="0.25"'),
        lambda page: page.replace('le="0.25"', 'le="0.1"').replace("1000.0", "2000.0"),  # by a restart
    ],
)
async def test_edges_that_change_leave_the_whole_window_open(sampled, change) -> None:
    with pytest.raises(ProbeFailedError, match="have different edges"):
        await sampled(metrics(good=1), metrics(good=2), change(metrics(good=3)))


COUNTER = "http_requests_total{"
BUCKETS = ("http_request_duration_seconds_bucket", "http_request_duration_seconds_count")


@pytest.mark.parametrize(
    "before",
    [
        uncounted(metrics(), COUNTER, *BUCKETS),
        uncounted(metrics(), COUNTER, *BUCKETS).replace("TYPE http_requests_total", "TYPE http_requests"),
        uncounted(metrics(), COUNTER + 'status="200",handler="/api"', COUNTER + 'status="503"', "# TYPE http_requests"),
    ],
    ids=["its TYPE line", "as OpenMetrics names it", "another series of its family"],
)
async def test_a_counter_that_has_counted_nothing_yet_begins_at_zero(sampled, before) -> None:
    readings = await sampled(before, metrics(good=50, bad=2, quick=52))

    assert readings.values["error_rate"] == Share((2,), (52,))
    assert readings.values["p95"].trials == (52,)


@pytest.mark.parametrize("name", [COUNTER, "http_request_duration_seconds"])
async def test_a_counter_that_no_line_names_is_no_reading(sampled, name) -> None:
    page = uncounted(metrics(good=1), name, f"# TYPE {name.removesuffix('{')}")

    with pytest.raises(ProbeFailedError, match="it has no TYPE line"):
        await sampled(page, page)


async def test_a_counter_is_found_by_the_name_of_its_family(sampled) -> None:
    readings = await sampled(metrics(good=1), metrics(good=11), requests="http_requests")

    assert readings.values["error_rate"] == Share((0,), (10,))


@pytest.mark.parametrize(
    ("name", "settings", "edges"),
    [
        ("http_request_duration_seconds", {}, (250.0, 500.0)),
        ("http_request_duration", {}, (250.0, 500.0)),
        ("http_request_duration", {"unit": "ms"}, (0.25, 0.5)),
        ("http_request_duration_milliseconds", {}, (0.25, 0.5)),
        ("http_request_ms", {}, (0.25, 0.5)),
        ("http_request_ms_duration_seconds", {}, (250.0, 500.0)),
        ("http_request_duration_seconds", {"unit": "ms"}, (0.25, 0.5)),
        ("http_request_duration_microseconds", {"unit": "s"}, (250.0, 500.0)),
    ],
)
async def test_edges_are_in_the_declared_unit_or_that_of_the_name(sampled, name, settings, edges) -> None:
    pages = [metrics(quick=count).replace("http_request_duration_seconds", name) for count in (0, 40)]

    readings = await sampled(*pages, duration=name, **settings)

    assert readings.values["p95"].edges == edges


@pytest.mark.parametrize("name", ["rpc_duration_microseconds", "rpc_ns", "job_minutes"])
def test_a_histogram_in_another_unit_is_refused(name) -> None:
    with pytest.raises(ValidationError, match="must be in seconds or milliseconds"):
        KIND.config.model_validate({"kind": "scrape", "path": "/metrics", "duration": name})


async def test_a_series_of_the_whole_can_be_left_out(sampled) -> None:
    total = 'http_requests_total{status="total",handler="/api"} '
    pages = [metrics(good=count, more=f"{total}{count}\n") for count in (1, 51)]

    readings = await sampled(*pages, without={"handler": ("/health",), "status": ("total",)})

    assert readings.values["error_rate"] == Share((0,), (50,))


async def test_a_page_of_as_many_samples_as_are_read_is_not_too_large(sampled) -> None:
    labels = ",".join(f'label_of_some_length_{n}="a value of some length"' for n in range(4))
    rest = "".join(f'others_bucket{{{labels},n="{n}"}} {n}\n' for n in range(49_950))
    assert len(rest) > 9 << 20

    readings = await sampled(metrics(good=1, more=rest), metrics(good=3, more=rest))

    assert readings.values["error_rate"] == Share((0,), (2,))


async def test_a_page_for_people_is_no_reading(sampled) -> None:
    with pytest.raises(ProbeFailedError, match="instead of metrics"):
        await sampled(metrics(), headers={"Content_Type": "text/html"})


async def test_endless_metrics_are_left(sampled) -> None:
    page = metrics(more="\n".join(f"a{number} 1" for number in range(60_000)))

    with pytest.raises(ProbeFailedError, match="more than 50000 samples"):
        await sampled(page)


def test_a_table_that_names_nothing_is_refused() -> None:
    with pytest.raises(ValidationError, match="a counter, or 'duration'"):
        KIND.config.model_validate({"kind": "scrape", "path": "/metrics"})
