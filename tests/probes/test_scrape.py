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
        metrics(good=20, start=2000.0),
    )

    assert readings.values["error_rate"] == Share((0, 1, 0), (0, 21, 0))
    assert "a process was restarted" in readings.summary


async def test_processes_behind_one_address_are_kept_apart(sampled) -> None:
    readings = await sampled(
        metrics(good=100, process="1"),
        metrics(good=5000, process="2", start=1100.0),
        metrics(good=130, bad=2, process="1"),
        metrics(good=5010, process="2", start=1100.0),
        process="pid",
    )

    assert readings.values["error_rate"] == Share((0, 2, 0), (0, 32, 10))


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
        ("<html>sign in</html>", "text format"),
        ("", "no series of 'http_requests_total'"),
        ("http_requests_total{status=", "text format"),
        ("http_requests_total 12 13 14 15 x", "text format"),
        ("\x00\xff{}}}{", "text format"),
        (metrics().replace('le="0.25"', 'le="many"'), "bucket"),
        (metrics().replace('le="+Inf"', 'le="9"'), "no +Inf bucket"),
        (metrics().replace("status=", "code="), "no label 'status'"),
        (metrics().replace("http_request_duration_seconds_bucket", "other"), "no series of 'http_request_duration"),
    ],
)
async def test_what_are_no_metrics_is_no_reading(sampled, page, told) -> None:
    with pytest.raises(ProbeFailedError) as failed:
        await sampled(page, page)

    assert failed.value.reason is Reason.BAD_RESPONSE
    assert told in failed.value.detail


async def test_numbers_that_are_none_do_not_count(sampled) -> None:
    pages = [metrics(good=1, more='http_requests_total{status="500",handler="/x"} NaN\n'), metrics(good=3)]

    assert (await sampled(*pages)).values["error_rate"] == Share((0,), (2,))


async def test_a_page_for_people_is_no_reading(sampled) -> None:
    with pytest.raises(ProbeFailedError, match="where metrics are due"):
        await sampled(metrics(), headers={"Content_Type": "text/html"})


async def test_endless_metrics_are_left(sampled) -> None:
    page = metrics(more="\n".join(f"a{number} 1" for number in range(60_000)))

    with pytest.raises(ProbeFailedError, match="more than 50000 samples"):
        await sampled(page)


def test_a_table_that_names_nothing_is_refused() -> None:
    with pytest.raises(ValidationError, match="a counter, or 'duration'"):
        KIND.config.model_validate({"kind": "scrape", "path": "/metrics"})
