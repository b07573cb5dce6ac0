"""How full is another machine? By a recorded page of node_exporter 1.5.0; a server of the test stands in for it."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from probekit.model.measurement import Failure, Reason
from probekit.model.readings import Exact, Mean
from probekit.probe import Context, ProbeFailedError, Readings, Window
from probekit.probes.host import KIND, HostProbe, measure
from probekit.transport.client import Http

START = datetime(2026, 11, 29, 8, tzinfo=UTC)
RECORDED = (Path(__file__).parents[1] / "data/node_exporter.prom").read_text("utf-8")
ROOT = 'device="/dev/vda",fstype="ext4",mountpoint="/"'
BLOCK = 10.0  # seconds
NETWORK = {"throughput", "network_errors"}
TIME, BOOT, UNAME = "node_time_seconds", "node_boot_time_seconds", "node_uname_info"
TEXT = "text/plain; version=0.0.4; charset=utf-8"
LOOPBACK = "".join(
    f'node_network_{way}_{what}_total{{device="lo"}} 5e+09\n'
    for way in ("receive", "transmit")
    for what in ("bytes", "drop", "errs")
)


def cpu(number: int, mode: str) -> str:
    return f'node_cpu_seconds_total{{cpu="{number}",mode="{mode}"}}'


def network(way: str, what: str) -> str:
    return f'node_network_{way}_{what}_total{{device="eth0"}}'


def disk(name: str, labels: str = ROOT) -> str:
    return f"node_filesystem_{name}{{{labels}}}"


def values(page: str = RECORDED) -> dict[str, float]:
    """Series to value; comments are left out."""
    lines = [line.rpartition(" ") for line in page.splitlines() if not line.startswith("#")]
    return {series: float(value) for series, _, value in lines}


def page(changed: Mapping[str, float] | None = None, *, without: str = "#", more: str = "") -> str:
    """The recorded page with these values changed, without lines that begin so, and with others at its end."""
    known = values() | dict(changed or {})
    return "".join(f"{name} {value!r}\n" for name, value in known.items() if not name.startswith(without)) + more


def later(seconds: float, **more: Any) -> dict[str, float]:
    """The values so many seconds later; `more`: mode to seconds that each processor spent in it, idle else."""
    known = values()
    idle = seconds - sum(more.values())
    spent = {cpu(number, mode): by for number in (0, 1) for mode, by in {"idle": idle, **more}.items()}
    return {name: known[name] + by for name, by in ({TIME: seconds} | spent).items()}


def plus(name: str, by: float) -> dict[str, float]:
    return {name: values()[name] + by}


def filesystem(mount: str, kind: str, *, size: float, free: float, inodes: float = 10, inodes_free: float = 5) -> str:
    """The lines of another file system."""
    labels = f'device="{kind}",fstype="{kind}",mountpoint="{mount}"'
    numbers = {"size_bytes": size, "free_bytes": free, "avail_bytes": free, "files": inodes, "files_free": inodes_free}
    return "".join(f"{disk(name, labels)} {value!r}\n" for name, value in numbers.items())


class Exporter:
    """Asks a stand-in of a node exporter; each request has the next page, the last one stays."""

    def __init__(self, serve: Any, http_reply: Any) -> None:
        self._serve = serve
        self._reply = http_reply
        self.requests = 0

    async def _url(self, pages: tuple[Any, ...], status: str, headers: dict[str, str]) -> str:
        left = list(pages)

        async def answer(reader: Any, writer: Any) -> None:
            await reader.readuntil(b"\r\n\r\n")
            self.requests += 1
            found = left.pop(0) if len(left) > 1 else left[0]
            body = found if isinstance(found, bytes) else found.encode()
            writer.write(self._reply(body, status, **{"Content_Type": TEXT, **headers}))
            await writer.drain()

        port, _ = await self._serve(act=answer)
        return f"http://127.0.0.1:{port}/metrics"

    async def measured(
        self, *pages: Any, status: str = "200 OK", headers: dict[str, str] | None = None, **given: Any
    ) -> Readings:
        """One measurement, without a pause before a mount is read again."""
        url = await self._url(pages, status, headers or {})

        async def no_pause(_seconds: float) -> None:
            pass

        return await measure(HostProbe(kind="host", url=url, **given), context(sleep=no_pause))

    async def sampled(self, *pages: Any, seconds: float = BLOCK, **given: Any) -> list[Readings]:
        """The blocks between these pages, by a clock that goes on by so many seconds between two."""
        clock = {"now": START}

        async def sleep(_seconds: float) -> None:
            clock["now"] += timedelta(seconds=seconds)

        def now() -> datetime:
            return clock["now"]

        window = Window(block=seconds, least=len(pages) - 1, goes_on=lambda: False, now=now, sleep=sleep)
        config = HostProbe(kind="host", url=await self._url(pages, "200 OK", {}), **given)
        return [readings async for readings in KIND.sample(config, context(now, window))]


def context(now: Any = lambda: START, window: Any = None, sleep: Any = asyncio.sleep) -> Context:
    return Context(
        base_url="https://app.test",
        timeout=5,
        http=Http(run="test", rate=(1000, 1.0)).probe_client(timeout=5),
        reveal=str,
        now=now,
        window=window,
        sleep=sleep,
    )


@pytest.fixture
def exporter(serve, http_reply) -> Exporter:
    return Exporter(serve, http_reply)


# ---------------------------------------------------------------- memory and disks


async def test_a_recorded_page(exporter) -> None:
    readings = await exporter.measured(RECORDED)

    assert readings.values == {
        "memory_used": Exact(pytest.approx(100 * (1 - 24876032000 / 25276059648))),
        "disk_used": Exact(pytest.approx(100 * 23838269440 / (23838269440 + 85106024448))),  # as df has it
        "inodes_used": Exact(pytest.approx(100 * (1 - 16353891 / 16777216))),
    }
    assert readings.summary == "web-2: 400 of 25,276 MB of the machine used, / 21.9 % full"


async def test_both_ways_give_the_same_metrics(exporter) -> None:
    here = HostProbe(kind="host", host="localhost")
    local = {*(await measure(here, context())).values}
    (block,) = await exporter.sampled(page(), page(later(BLOCK)))

    assert {*(await exporter.measured(RECORDED)).values} == local
    assert local | {*block.values} == KIND.metric_names


async def test_the_fullest_of_the_named_mounts_counts(exporter) -> None:
    data = filesystem("/data", "xfs", size=1000, free=100, inodes=1000, inodes_free=0)

    readings = await exporter.measured(page(more=data), mounts=("/", "/data"))

    assert readings.values["disk_used"] == Exact(90)
    assert readings.values["inodes_used"] == Exact(100)


@pytest.mark.parametrize(("kind", "mount"), [("squashfs", "/snap/core/1"), ("tmpfs", "/run"), ("iso9660", "/media/cd")])
async def test_only_named_mounts_count_whatever_their_kind(exporter, kind, mount) -> None:
    full = page(more=filesystem(mount, kind, size=1000, free=0, inodes=10, inodes_free=0))

    as_it_is = await exporter.measured(full)
    named = await exporter.measured(full, mounts=("/", mount))

    assert as_it_is.values["disk_used"].value < 30
    assert named.values["disk_used"] == named.values["inodes_used"] == Exact(100)


async def test_of_file_systems_that_lie_over_one_another_the_fullest_counts(exporter) -> None:
    readings = await exporter.measured(page(more=filesystem("/", "rootfs", size=1000, free=50)))

    assert readings.values["disk_used"] == Exact(95)


async def test_more_file_systems_at_one_mount_than_can_be_are_not_read(exporter) -> None:
    hidden = "".join(filesystem("/", f"layer{number}", size=1000, free=50) for number in range(20))

    readings = await exporter.measured(page(more=hidden), mounts=("/",))

    assert readings.values["disk_used"].reason is Reason.BAD_RESPONSE
    assert "the exporter reports 21 file systems at /" in readings.values["disk_used"].detail
    assert readings.values["memory_used"].value < 100


async def test_a_file_system_without_a_number_of_inodes_cannot_run_out_of_them(exporter) -> None:
    readings = await exporter.measured(page({disk("files"): 0, disk("files_free"): 0}))

    assert readings.values["inodes_used"] == Exact(0)


async def test_a_pseudo_file_system_has_no_reading(exporter) -> None:
    readings = await exporter.measured(page(more=filesystem("/sys/fs", "sysfs", size=0, free=0)), mounts=("/sys/fs",))

    assert readings.values["disk_used"].reason is Reason.BAD_RESPONSE
    assert "has no size" in readings.values["disk_used"].detail


UNREADABLE = f"{disk('device_error')} 1\n" + filesystem("/boot", "vfat", size=1000, free=900)  # a hung NFS has no size
GONE = page(without="node_filesystem", more=filesystem("/boot", "vfat", size=1000, free=900))


async def test_a_mount_that_is_gone_is_asked_for_again_before_it_is_an_error(exporter) -> None:
    again = await exporter.measured(GONE, RECORDED)

    assert exporter.requests == 2
    assert isinstance(again.values["disk_used"], Exact)


@pytest.mark.parametrize(
    ("shown", "told"),
    [
        (GONE, "the exporter has no file system at /, only at /boot: check 'mounts', and the exporter's --collector"),
        (page({disk("device_error"): 1}), "/ cannot be read by the exporter (device error)"),
        (page(without="node_filesystem", more=f"{UNREADABLE}\n"), "/ cannot be read by the exporter (device error)"),
    ],
)
async def test_a_mount_that_stays_away_could_be_the_fullest(exporter, shown, told) -> None:
    readings = await exporter.measured(shown, mounts=("/",))

    assert exporter.requests == 2
    for name in ("disk_used", "inodes_used"):
        assert readings.values[name].reason is Reason.MISSING_FILE
        assert told in readings.values[name].detail
    assert isinstance(readings.values["memory_used"], Exact)


# ---------------------------------------------------------------- collectors that are off


@pytest.mark.parametrize(
    ("without", "collector", "unread"),
    [
        ("node_memory_MemAvailable", "meminfo", {"memory_used"}),
        ("node_memory_", "meminfo", {"memory_used"}),
        ("node_filesystem_", "filesystem", {"disk_used", "inodes_used"}),
        ("node_filesystem_files_free", "filesystem", {"disk_used", "inodes_used"}),
    ],
)
@pytest.mark.parametrize("failed", [False, True])
async def test_what_a_collector_does_not_give_is_no_reading(exporter, without, collector, unread, failed) -> None:
    success = {f'node_scrape_collector_success{{collector="{collector}"}}': 0 if failed else 1}

    readings = await exporter.measured(page(success, without=without))

    failures = {name: value for name, value in readings.values.items() if isinstance(value, Failure)}
    assert failures.keys() == unread
    for failure in failures.values():
        assert failure.reason is Reason.MISSING_SETTING
        hint = (
            f"collector {collector} failed" if failed else f"enable its collector {collector} (--collector.{collector})"
        )
        assert hint in failure.detail


@pytest.mark.parametrize(
    ("without", "collector", "unread"),
    [
        ("node_cpu_seconds", "cpu", {"cpu_used"}),
        ("node_network_", "netdev", NETWORK),
        ("node_network_receive_drop", "netdev", NETWORK),
        ("node_memory_", "meminfo", {"memory"}),
    ],
)
async def test_what_a_collector_does_not_count_is_no_reading(exporter, without, collector, unread) -> None:
    (block,) = await exporter.sampled(page(without=without), page(later(BLOCK), without=without))

    failures = {name: value for name, value in block.values.items() if isinstance(value, Failure)}
    assert failures.keys() == unread
    assert all(f"--collector.{collector}" in failure.detail for failure in failures.values())


@pytest.mark.parametrize(("without", "collector"), [(TIME, "time"), (BOOT, "stat")])
async def test_without_the_machine_s_clock_no_growth_is_known(exporter, without, collector) -> None:
    with pytest.raises(ProbeFailedError, match=f"--collector.{collector}") as caught:
        await exporter.sampled(page(without=without), page(later(BLOCK), without=without))

    assert caught.value.reason is Reason.MISSING_SETTING


# ---------------------------------------------------------------- blocks of time


async def test_processor_time_is_that_of_each_block(exporter) -> None:
    busy = later(10, user=2, system=1, steal=1, iowait=3)  # of two processors
    idle = busy | {name: busy[name] + 10 for name in (TIME, cpu(0, "idle"), cpu(1, "idle"))}

    found = await exporter.sampled(page(), page(busy), page(idle))

    assert [block.values["cpu_used"].values[0] for block in found] == [pytest.approx(40), pytest.approx(0)]
    assert found[0].values["memory"].values == (pytest.approx(400.027648),)
    assert found[0].summary == "web-2: processor time of the machine"


async def test_throughput_is_per_second_of_the_exporter_s_clock_and_leaves_loopback_out(exporter) -> None:
    carried = plus(network("receive", "bytes"), 30e6) | plus(network("transmit", "bytes"), 20e6)
    lost = plus(network("receive", "errs"), 1) | plus(network("transmit", "drop"), 2)

    (block,) = await exporter.sampled(
        page(more=LOOPBACK), page({**later(10), **carried, **lost}, more=LOOPBACK.replace("5e+09", "9e+09"))
    )

    assert block.values["throughput"].values == (pytest.approx(5),)
    assert block.values["network_errors"] == Exact(3)


async def test_the_named_interfaces_count(exporter) -> None:
    more = LOOPBACK.replace("5e+09", "6e+09")

    (block,) = await exporter.sampled(page(more=LOOPBACK), page(later(10), more=more), interfaces=("lo",))
    (other,) = await exporter.sampled(page(), page(later(10)), interfaces=("eth9",))

    assert block.values["network_errors"] == Exact(4e9)
    assert "the machine has no interface eth9, only eth0, ifb0, ifb1" in other.values["throughput"].detail


@pytest.mark.parametrize(
    ("changed", "without", "told", "unread"),
    [
        ({cpu(0, "idle"): 1}, "#", "a counter of processor time was reset", {"cpu_used"}),
        ({}, 'node_cpu_seconds_total{cpu="1"', "a processor was added or removed", {"cpu_used"}),
        ({}, cpu(1, "idle"), "a processor without idle time", {"cpu_used"}),
        ({network("receive", "bytes"): 0}, "#", "a counter of a network interface was reset", NETWORK),
        ({}, network("receive", "errs"), "an interface without all of its counters", NETWORK),
    ],
)
async def test_counters_that_were_reset_are_no_reading(exporter, changed, without, told, unread) -> None:
    (block,) = await exporter.sampled(page(), page(later(10) | changed, without=without))

    failures = {name: value for name, value in block.values.items() if isinstance(value, Failure)}
    assert failures.keys() == unread
    assert all(told in failure.detail for failure in failures.values())


async def test_idle_time_that_went_back_a_little_is_no_reset(exporter) -> None:
    (block,) = await exporter.sampled(page(), page(later(10) | plus(cpu(0, "iowait"), -0.1)))

    assert 0 <= block.values["cpu_used"].values[0] < 1


@pytest.mark.parametrize("step", [-3600, 3600, 10**9])
async def test_a_clock_that_is_set_moves_no_reading(exporter, step) -> None:
    after = later(10, user=5)
    moved = {TIME: after[TIME] + step, BOOT: values()[BOOT] + step}

    (block,) = await exporter.sampled(page(), page(after | moved))

    assert block.values["cpu_used"].values[0] == pytest.approx(50)
    assert block.values["throughput"] == Mean((0,))


@pytest.mark.parametrize(
    ("changed", "replaced", "told"),
    [
        (later(10) | {BOOT: values()[TIME] + 5}, {}, "grew by -1184 s in 10 s: it was restarted"),
        (later(10) | {BOOT: values()[BOOT] - 86400}, {}, "grew by 86410 s in 10 s"),
        ({}, {}, "grew by 0 s in 10 s"),  # the same page again
        (later(10), {"web-2": "web-3"}, "web-2 and web-3 answer in turn"),
    ],
    ids=["restarted", "an older machine", "stored", "another name"],
)
async def test_pages_that_are_not_of_one_machine_on_its_way(exporter, changed, replaced, told) -> None:
    second = page(changed)
    for old, new in replaced.items():
        second = second.replace(old, new)

    with pytest.raises(ProbeFailedError) as caught:
        await exporter.sampled(page(), second)

    assert caught.value.reason is Reason.BAD_RESPONSE
    assert told in caught.value.detail


# ---------------------------------------------------------------- which machine


@pytest.mark.parametrize(
    ("served", "asked", "is_it"),
    [
        ("web-2", None, True),
        ("web-2", "web-2", True),
        ("web-2.example.com", "WEB-2", True),
        ("web-2", "localhost", True),
        ("db-1", "web-2", False),
    ],
)
async def test_the_exporter_of_another_machine_is_refused(exporter, served, asked, is_it) -> None:
    shown = RECORDED.replace('nodename="web-2"', f'nodename="{served}"')

    if is_it:
        assert (await exporter.measured(shown, host=asked)).summary.startswith(f"{served}: ")
        return
    with pytest.raises(ProbeFailedError, match="is on db-1, but host is web-2") as caught:
        await exporter.measured(shown, host=asked)
    assert caught.value.reason is Reason.MISSING_SETTING


async def test_a_machine_without_a_name_has_that_of_its_address(exporter) -> None:
    readings = await exporter.measured(page(without=UNAME), host="web-2")

    assert readings.summary.startswith("127.0.0.1:")


# ---------------------------------------------------------------- pages that are none


def line(text: str) -> str:
    return page(more=text)


@pytest.mark.parametrize(
    ("shown", "told"),
    [
        ("", "no series of a node exporter"),
        ("process_start_time_seconds 1\nhttp_requests_total 5\n", "no series of a node exporter"),
        (b"\x00\xff\xfe" * 99, "not UTF-8"),
        (line("node_cpu_seconds_total{cpu=\n"), "not in Prometheus' text format"),
        (line("<html>\n"), "not in Prometheus' text format"),
        (line(f"{BOOT} 5\n"), "occurs twice"),
        (line("a 1\n" * 50_001), "more than 50000 samples"),
    ],
)
async def test_a_page_that_cannot_be_believed(exporter, shown, told) -> None:
    with pytest.raises(ProbeFailedError) as caught:
        await exporter.measured(shown)

    assert caught.value.reason is Reason.BAD_RESPONSE
    assert told in caught.value.detail
    assert len(caught.value.detail) < 400


@pytest.mark.parametrize(
    ("changed", "metric"),
    [
        ({"node_memory_MemAvailable_bytes": float("nan")}, "memory_used"),
        ({"node_memory_MemTotal_bytes": float("inf")}, "memory_used"),
        ({"node_memory_MemTotal_bytes": 0}, "memory_used"),
        ({"node_memory_MemTotal_bytes": 0, "node_memory_MemAvailable_bytes": 0}, "memory_used"),
        ({"node_memory_MemAvailable_bytes": 1e12}, "memory_used"),
        ({"node_memory_MemAvailable_bytes": -1}, "memory_used"),
        ({'node_memory_MemAvailable_bytes{node="0"}': 1}, "memory_used"),  # beside another one
        ({disk("avail_bytes"): 1e15}, "disk_used"),
        ({disk("free_bytes"): 2.71e11}, "disk_used"),  # a little more than there is
        ({disk("size_bytes"): float("nan")}, "disk_used"),
        ({disk("files_free"): 1e12}, "inodes_used"),
    ],
)
async def test_a_number_that_no_machine_can_have_is_no_reading(exporter, changed, metric) -> None:
    readings = await exporter.measured(page(changed))

    assert readings.values[metric].reason is Reason.BAD_RESPONSE


@pytest.mark.parametrize(
    ("status", "headers", "reason", "told"),
    [
        ("401 Unauthorized", {}, Reason.ACCESS_DENIED, "allow this machine to read the exporter"),
        ("403 Forbidden", {}, Reason.ACCESS_DENIED, "allow this machine to read the exporter"),
        ("429 Too Many Requests", {}, Reason.ACCESS_DENIED, "check throttle"),
        ("404 Not Found", {}, Reason.BAD_RESPONSE, "404 text/plain"),
        ("503 Service Unavailable", {}, Reason.BAD_RESPONSE, "503 text/plain"),
        ("301 Moved", {"Location": "/"}, Reason.BAD_RESPONSE, "301 text/plain"),
        ("200 OK", {"Content_Type": "text/html"}, Reason.BAD_RESPONSE, "such as http://web-2:9100/metrics"),
        ("200 OK", {"Age": "600"}, Reason.BAD_RESPONSE, 'max_age = "600s"'),
    ],
)
async def test_an_answer_that_is_no_page_of_now(exporter, status, headers, reason, told) -> None:
    with pytest.raises(ProbeFailedError) as caught:
        await exporter.measured(RECORDED, status=status, headers=headers)

    assert caught.value.reason is reason
    assert told in caught.value.detail


async def test_a_page_that_never_ends_is_bounded(exporter) -> None:
    with pytest.raises(ProbeFailedError, match="larger than") as caught:
        await exporter.measured("# " + "x" * (17 << 20))

    assert caught.value.reason is Reason.BAD_RESPONSE


# ---------------------------------------------------------------- settings


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "set 'host', the machine that probekit runs on, or 'url'"),
        ({"url": "web-2:9100"}, "url"),
        ({"url": "http://user:secret@web-2:9100/metrics"}, "url"),
        ({"url": "http://web-2:0/metrics"}, "an invalid port"),
        ({"url": "http://web-2:9100/metrics", "processes": ["shop"]}, "'processes' does not work with 'url'"),
    ],
)
def test_a_table_that_cannot_be(given, told) -> None:
    with pytest.raises(ValidationError, match=told):
        HostProbe(kind="host", **given)


def test_only_a_url_is_connected_to() -> None:
    here = KIND.configure({"kind": "host", "host": "localhost"})
    there = KIND.configure({"kind": "host", "url": "http://web-2:9100/metrics"})

    assert (here.endpoint, here.each_address, here.requests) == (None, False, 0)
    assert there.endpoint is not None
    assert str(there.endpoint("https://app.test")) == "web-2:9100"
    assert (there.each_address, there.requests) == (True, 2)


# ---------------------------------------------------------------- a real node exporter (make test-services)


@pytest.fixture
def real_exporter(unused_tcp_port):
    """The page of a node exporter of this machine, once it listens."""
    program = shutil.which("prometheus-node-exporter") or shutil.which("node_exporter")
    assert program, "install prometheus-node-exporter"
    address = f"127.0.0.1:{unused_tcp_port}"
    command = [program, f"--web.listen-address={address}"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as running:
        assert running.stderr
        assert any("Listening on" in line for line in running.stderr)
        yield f"http://{address}/metrics"
        running.terminate()


@pytest.mark.services
async def test_a_real_exporter_gives_what_psutil_gives(real_exporter) -> None:
    here = await measure(HostProbe(kind="host", host="localhost"), context())
    there = await measure(HostProbe(kind="host", host="localhost", url=real_exporter), context())

    assert here.values.keys() == there.values.keys()
    for name, value in here.values.items():
        assert there.values[name].value == pytest.approx(value.value, abs=1)
