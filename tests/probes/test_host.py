"""How full is this machine? Its real numbers once, and those of machines that psutil and control groups describe."""

from __future__ import annotations

import asyncio
import threading
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
from pydantic import ValidationError

from probekit.model.measurement import Failure, Reason
from probekit.model.readings import Exact, Mean
from probekit.probe import Context, ProbeFailedError, Readings, Window
from probekit.probes.host import KIND, HostProbe, control_group, local, measure
from probekit.transport.client import Http

GIGA = 1_000_000_000
DATA = (91.5, 1000, 990, 990)  # percent, inodes: all, free, free to users
NIC = SimpleNamespace(bytes_sent=0, bytes_recv=0, errin=0, errout=0, dropin=0, dropout=0)


class Machine:
    """A machine as psutil and the control groups' files describe it; a test changes what it is about."""

    def __init__(self, cgroup: Path) -> None:
        self.cgroup = cgroup
        self.name = "web-1"
        self.now = 1000.0
        self.total, self.available = 16 * GIGA, 12 * GIGA
        self.cores = 4
        self.times = {"user": 100.0, "system": 50.0, "idle": 800.0, "iowait": 50.0, "guest": 0.0, "guest_nice": 0.0}
        self.interfaces = {"lo": vars(NIC) | {"bytes_sent": 5}, "eth0": dict(vars(NIC))}
        self.disks: dict[str, Any] = {"/": (27.8, 100, 40, 40)}  # percent, inodes: all, free, free to users
        self.sizes: dict[str, int] = {}
        self.mounts = ["/", "/data"]
        self.processes: list[dict[str, Any]] = []

    def cpu(self, **more: float) -> None:
        for name, seconds in more.items():
            self.times[name] += seconds

    def write(self, **files: str) -> None:
        """Files of a control group, `memory__max` being memory.max and `a___b` a/b."""
        for name, text in files.items():
            file = self.cgroup / name.replace("___", "/").replace("__", ".")
            file.parent.mkdir(exist_ok=True)
            file.write_text(text)

    def net_io_counters(self, *, pernic: bool, nowrap: bool) -> dict[str, Any]:
        assert pernic
        assert not nowrap  # psutil would hide a counter that went back
        return {name: SimpleNamespace(**counters) for name, counters in self.interfaces.items()}

    def disk_usage(self, mount: str) -> SimpleNamespace:
        found = self.disks.get(mount)
        if found is None:
            raise PermissionError(13, "Permission denied")
        return SimpleNamespace(used=found[0], free=self.sizes.get(mount, 100) - found[0])

    def statvfs(self, mount: Path) -> SimpleNamespace:
        _, every, free, usable = self.disks[str(mount)]
        return SimpleNamespace(f_files=every, f_ffree=free, f_favail=usable)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Machine:
    made = Machine(tmp_path)
    loopback = {
        name: SimpleNamespace(flags="up,loopback,running" if name == "lo" else "up,broadcast")
        for name in ("lo", "eth0")
    }
    monkeypatch.setattr(control_group, "CGROUP", tmp_path)
    monkeypatch.setattr(local, "perf_counter", lambda: made.now)
    monkeypatch.setattr(local.socket, "gethostname", lambda: made.name)
    monkeypatch.setattr(local.os, "statvfs", made.statvfs)
    for name, double in {
        "virtual_memory": lambda: SimpleNamespace(total=made.total, available=made.available),
        "cpu_count": lambda: made.cores,
        "cpu_times": lambda: SimpleNamespace(_asdict=lambda: dict(made.times)),
        "net_io_counters": made.net_io_counters,
        "net_if_stats": lambda: loopback,
        "disk_usage": made.disk_usage,
        "disk_partitions": lambda all: [SimpleNamespace(mountpoint=mount) for mount in made.mounts],  # noqa: A006
        "process_iter": lambda names: [SimpleNamespace(info=info) for info in made.processes],
    }.items():
        monkeypatch.setattr(psutil, name, double)
    return made


class Blocks:
    """A window in whose blocks these things happen."""

    def __init__(self, machine: Machine, *happenings: Any, seconds: float = 10.0) -> None:
        self.machine = machine
        self.happenings = list(happenings)
        self.seconds = seconds

    async def next(self) -> bool:
        if not self.happenings:
            return False
        self.machine.now += self.seconds
        self.happenings.pop(0)()
        return True


def context(window: Any = None, timeout: float = 1.0, sleep: Any = asyncio.sleep) -> Context:
    return Context(
        base_url="https://app.test",
        timeout=timeout,
        http=Http(run="test").probe_client(timeout=timeout),
        reveal=str,
        now=lambda: datetime.now(UTC),
        window=window,
        sleep=sleep,
    )


def settings(**given: Any) -> HostProbe:
    return HostProbe(**{"kind": "host", "host": "localhost", **given})


async def measurement(sleep: Any = None, **given: Any) -> Readings:
    """One measurement, without a pause before a mount is read again; `sleep` is what happens meanwhile."""

    async def no_pause(_seconds: float) -> None:
        if sleep:
            sleep()

    return await measure(settings(**given), context(sleep=no_pause))


async def blocks(window: Any, **given: Any) -> list[Readings]:
    return [readings async for readings in KIND.sample(settings(**given), context(window))]


async def test_this_machine_s_own_numbers() -> None:
    readings = await measurement(mounts=("/",))

    assert set(readings.values) == {"memory_used", "disk_used", "inodes_used"}
    assert 0 < readings.values["memory_used"].value < 100
    assert readings.values["disk_used"].value == pytest.approx(psutil.disk_usage("/").percent, abs=1)  # tests write
    assert "/ " in readings.summary


async def test_this_machine_s_own_blocks() -> None:
    window = Window(
        block=0.1, least=2, goes_on=lambda: False, now=lambda: datetime.now(UTC), sleep=asyncio.sleep
    )  # the kernel counts in hundredths of a second

    found = await blocks(window)

    assert len(found) == 2
    for readings in found:
        assert set(readings.values) == {"cpu_used", "memory", "throughput", "network_errors"}
        assert isinstance(readings.values["cpu_used"], Mean)
        assert readings.values["memory"].value > 1


async def test_all_that_is_promised_is_given(machine) -> None:
    (block,) = await blocks(Blocks(machine, lambda: machine.cpu(idle=1)))

    assert {*(await measurement()).values, *block.values} == KIND.metric_names


@pytest.mark.parametrize(
    ("here", "asked", "is_here"),
    [
        ("web-1", "web-1", True),
        ("web-1", "WEB-1", True),
        ("web-1", "localhost", True),
        ("web-1.example.com", "web-1", True),
        ("web-1", "web-1.example.com", True),
        ("ci-7", "web-1", False),
        ("web-1.staging.example.com", "web-1.prod.example.com", False),
        ("web-10", "web-1", False),
    ],
)
async def test_only_the_machine_it_runs_on_is_spoken_of(machine, here, asked, is_here) -> None:
    machine.name = here
    told = []

    for ask in (measurement(host=asked), blocks(Blocks(machine), host=asked)):
        try:
            await ask
        except ProbeFailedError as error:
            told.append((error.reason, error.detail))

    hint = "run probekit there, or set url to the machine's node exporter"
    refusal = (Reason.MISSING_SETTING, f"probekit runs on {here}, but host is {asked}: {hint}")
    assert told == ([] if is_here else [refusal] * 2)


@pytest.mark.parametrize("wrong", [{}, {"host": ""}, {"host": "web-1", "mounts": []}, {"host": "web-1", "path": "/"}])
def test_a_table_that_cannot_be(wrong) -> None:
    with pytest.raises(ValidationError):
        HostProbe(kind="host", **wrong)


async def test_memory_is_what_cannot_be_given_away(machine) -> None:
    readings = await measurement()

    assert readings.values["memory_used"] == Exact(25)
    assert "4,000 of 16,000 MB of the machine used" in readings.summary


@pytest.mark.parametrize(
    "files",
    [
        {
            "memory__max": f"{2 * GIGA}\n",
            "memory__current": f"{1900 * 10**6}\n",
            "memory__stat": f"anon 5\ninactive_file {400 * 10**6}\n",
        },
        {
            "memory___memory__limit_in_bytes": f"{2 * GIGA}",
            "memory___memory__usage_in_bytes": f"{1900 * 10**6}",
            "memory___memory__stat": f"cache 7\ntotal_inactive_file {400 * 10**6}\n",
        },
    ],
    ids=["version 2", "version 1"],
)
async def test_a_container_s_limit_counts_where_it_is_lower(machine, files) -> None:
    machine.write(**files)

    readings = await measurement()
    (block,) = await blocks(Blocks(machine, lambda: None))

    assert readings.values["memory_used"] == Exact(75)
    assert "1,500 of 2,000 MB of the container used" in readings.summary
    assert block.values["memory"] == Mean((1500,))


@pytest.mark.parametrize(
    "files",
    [
        {"memory__max": "max\n", "memory__current": "5"},
        {"memory__max": str(64 * GIGA), "memory__current": "5"},
        {"memory___memory__limit_in_bytes": "9223372036854771712", "memory___memory__usage_in_bytes": "5"},
    ],
)
async def test_a_container_without_a_lower_limit_has_the_machine_s_memory(machine, files) -> None:
    machine.write(**files)

    assert (await measurement()).values["memory_used"] == Exact(25)


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"memory__max": "a lot"}, Reason.BAD_RESPONSE),
        ({"memory__max": "1000"}, Reason.BAD_RESPONSE),  # and no memory.current
        ({"memory__max": "1000", "memory__current": "x"}, Reason.BAD_RESPONSE),
        ({"memory__max": "\xff"}, Reason.MISSING_FILE),
    ],
)
async def test_a_limit_that_cannot_be_read_is_not_passed_over(machine, files, reason) -> None:
    machine.write(**files)

    with pytest.raises(ProbeFailedError) as caught:
        await measurement()

    assert caught.value.reason is reason


async def test_the_fullest_mount_counts(machine) -> None:
    machine.disks["/data"] = DATA

    readings = await measurement(mounts=("/", "/data"))

    assert readings.values["disk_used"] == Exact(91.5)
    assert readings.values["inodes_used"] == Exact(60)
    assert "/ 27.8 % full, /data 91.5 % full" in readings.summary


async def test_inodes_that_only_root_may_take_are_not_free(machine) -> None:
    machine.disks["/"] = (10.0, 100, 40, 20)

    assert (await measurement()).values["inodes_used"] == Exact(75)


async def test_a_file_system_without_a_number_of_inodes_cannot_run_out_of_them(machine) -> None:
    machine.disks["/"] = (10.0, 0, 0, 0)

    readings = await measurement()

    assert readings.values["disk_used"] == Exact(10)
    assert readings.values["inodes_used"] == Exact(0)


async def test_no_inode_is_left(machine) -> None:
    machine.disks["/"] = (10.0, 1000, 50, 0)  # those that are free are root's

    assert (await measurement()).values["inodes_used"] == Exact(100)


@pytest.mark.parametrize(
    ("mount", "told"),
    [
        ("/backup", "no file system is mounted at /backup: mount it, or change 'mounts'"),
        ("/data", "/data cannot be read: Permission"),
    ],
)
async def test_a_mount_that_cannot_be_read_could_be_the_fullest(machine, mount, told) -> None:
    readings = await measurement(mounts=("/", mount))

    assert readings.values["disk_used"].reason is Reason.MISSING_FILE
    assert told in readings.values["disk_used"].detail
    assert told in readings.summary
    assert readings.values["memory_used"] == Exact(25)


@pytest.mark.parametrize(
    ("takes_away", "gives_back"),
    [
        (lambda machine: machine.mounts.remove("/data"), lambda machine: machine.mounts.append("/data")),
        (lambda machine: machine.disks.pop("/data"), lambda machine: machine.disks.update({"/data": DATA})),
    ],
    ids=["no mount", "gone between two calls"],
)
async def test_a_mount_that_is_gone_is_read_again_before_it_is_an_error(machine, takes_away, gives_back) -> None:
    machine.disks["/data"] = DATA
    seen = await measurement(mounts=("/", "/data"))
    takes_away(machine)
    again = await measurement(sleep=lambda: gives_back(machine), mounts=("/", "/data"))
    takes_away(machine)
    gone = await measurement(mounts=("/", "/data"))

    assert seen.values["disk_used"] == again.values["disk_used"] == Exact(91.5)
    assert gone.values["disk_used"].reason is Reason.MISSING_FILE


async def test_a_mount_that_is_there_is_read_once(machine) -> None:
    pauses: list[None] = []

    await measurement(sleep=lambda: pauses.append(None))

    assert pauses == []


async def test_a_file_system_without_a_size_is_no_empty_one(machine) -> None:
    machine.sizes["/"] = 0
    machine.disks["/"] = (0.0, 0, 0, 0)

    readings = await measurement()

    assert readings.values["disk_used"].reason is Reason.BAD_RESPONSE
    assert "/ has no size" in readings.summary


async def test_a_mount_that_never_answers_holds_nobody_up(machine, monkeypatch) -> None:
    gone = threading.Event()

    def hang(_mount: str) -> None:
        gone.wait(10)
        raise OSError(116, "Stale file handle")

    monkeypatch.setattr(psutil, "disk_usage", hang)

    readings = await KIND.measure(settings(), context(timeout=0.1))

    assert readings.values["disk_used"] == Failure(reason=Reason.TIMEOUT, detail="/ did not answer within 0.1 s")
    assert readings.values["memory_used"] == Exact(25)
    gone.set()


async def test_processor_time_is_that_of_each_block(machine) -> None:
    found = await blocks(
        Blocks(
            machine,
            lambda: machine.cpu(user=10, system=2, idle=26, iowait=2),
            lambda: machine.cpu(idle=40),
            lambda: machine.cpu(user=20, guest=20, idle=20),  # user holds the guests' time already
        )
    )

    assert [readings.values["cpu_used"] for readings in found] == [Mean((30,)), Mean((0,)), Mean((50,))]


async def test_a_block_without_length_divides_by_nothing(machine) -> None:
    (block,) = await blocks(Blocks(machine, lambda: None, seconds=0))

    assert block.values["cpu_used"].reason is Reason.BAD_RESPONSE
    assert block.values["throughput"].reason is Reason.BAD_RESPONSE
    assert block.values["network_errors"] == Exact(0)


async def test_idle_time_that_went_back_is_no_negative_use(machine) -> None:
    (block,) = await blocks(Blocks(machine, lambda: machine.cpu(iowait=-1, idle=5, user=0.5)))

    assert 0 <= block.values["cpu_used"].value <= 100


@pytest.mark.parametrize(
    ("quota", "usage"),
    [
        ({"cpu__max": "50000 100000\n"}, {"cpu__stat": "usage_usec {micro}\nuser_usec 1\n"}),
        ({"cpu__max": "50000"}, {"cpu__stat": "usage_usec {micro}\n"}),  # the period's default
        (
            {"cpu___cpu__cfs_quota_us": "25000\n", "cpu___cpu__cfs_period_us": "50000\n"},
            {"cpuacct___cpuacct__usage": "{nano}\n"},
        ),
    ],
)
async def test_a_container_s_quota_is_all_it_has(machine, quota, usage) -> None:
    def use(seconds: float) -> None:
        amounts = {"micro": int(seconds * 1e6), "nano": int(seconds * 1e9)}
        machine.write(**{name: text.format(**amounts) for name, text in usage.items()})

    machine.write(**quota)
    use(7)

    found = await blocks(Blocks(machine, lambda: use(11), lambda: use(18)))

    assert [readings.values["cpu_used"] for readings in found] == [Mean((80,)), Mean((100,))]  # of 5 s in each 10 s
    assert "the container's 0.5 cores" in found[0].summary


@pytest.mark.parametrize(
    "files", [{"cpu__max": "max 100000"}, {"cpu__max": "800000 100000"}, {"cpu___cpu__cfs_quota_us": "-1"}]
)
async def test_without_a_lower_quota_the_machine_s_processors_count(machine, files) -> None:
    machine.write(**files)

    (block,) = await blocks(Blocks(machine, lambda: machine.cpu(user=10, idle=30)))

    assert block.values["cpu_used"] == Mean((25,))


async def test_processor_time_that_went_back_is_no_reading(machine) -> None:
    (block,) = await blocks(Blocks(machine, lambda: machine.cpu(idle=-20, user=60)))

    assert "was reset in this block" in block.values["cpu_used"].detail


async def test_a_quota_that_changes_in_a_block(machine) -> None:
    machine.write(cpu__max="50000 100000", cpu__stat="usage_usec 1")

    (block,) = await blocks(Blocks(machine, lambda: machine.write(cpu__max="100000 100000")))

    assert block.values["cpu_used"].reason is Reason.BAD_RESPONSE


async def test_a_quota_without_a_count_of_its_use(machine) -> None:
    machine.write(cpu__max="50000 100000", cpu__stat="user_usec 1")

    with pytest.raises(ProbeFailedError, match=r"cpu.stat does not contain a number"):
        await blocks(Blocks(machine, lambda: None))


async def test_throughput_is_per_second_and_leaves_loopback_out(machine) -> None:
    def carry() -> None:
        machine.interfaces["eth0"] |= {"bytes_sent": 30_000_000, "bytes_recv": 20_000_000, "errin": 1, "dropout": 2}
        machine.interfaces["lo"] |= {"bytes_sent": 10**12, "errin": 50}

    found = await blocks(Blocks(machine, carry, lambda: None))

    assert [readings.values["throughput"] for readings in found] == [Mean((5,)), Mean((0,))]
    assert [readings.values["network_errors"] for readings in found] == [Exact(3), Exact(0)]


async def test_the_named_interfaces_count(machine) -> None:
    def carry() -> None:
        machine.interfaces["lo"]["bytes_sent"] += 10_000_000

    (block,) = await blocks(Blocks(machine, carry), interfaces=("lo",))

    assert block.values["throughput"] == Mean((1,))


async def test_an_interface_that_comes_up_in_a_block_counts_from_the_next(machine) -> None:
    def come_up() -> None:
        machine.interfaces["veth0"] = vars(NIC) | {"bytes_sent": 10**9}

    (block,) = await blocks(Blocks(machine, come_up))

    assert block.values["throughput"] == Mean((0,))


@pytest.mark.parametrize(
    ("given", "happens", "told"),
    [
        ({"interfaces": ("eth9",)}, lambda _: None, "the machine has no interface eth9, only lo, eth0"),
        ({}, lambda machine: machine.interfaces.pop("eth0"), "no network interface except loopback"),
        ({}, lambda machine: machine.interfaces["eth0"].update(bytes_sent=-1), "was reset in this block"),
        ({}, lambda machine: machine.interfaces["eth0"].update(errin=-1), "was reset in this block"),
    ],
)
async def test_counters_of_the_network_that_tell_nothing(machine, given, happens, told) -> None:
    (block,) = await blocks(Blocks(machine, lambda: happens(machine)), **given)

    for name in ("throughput", "network_errors"):
        assert block.values[name].reason is Reason.BAD_RESPONSE
        assert told in block.values[name].detail


def process(name: str, megabytes: float | None) -> dict[str, Any]:
    memory = None if megabytes is None else SimpleNamespace(rss=int(megabytes * 10**6))
    return {"name": name, "memory_info": memory}


async def test_the_memory_of_the_named_processes(machine) -> None:
    machine.processes = [process("shop", 100), process("shop", 50.5), process("worker", 20), process("other", 1000)]

    (block,) = await blocks(Blocks(machine, lambda: None), processes=("shop", "worker"))

    assert block.values["memory"] == Mean((170.5,))


@pytest.mark.parametrize(
    ("running", "reason", "told"),
    [
        ([process("shop", 100)], Reason.BAD_RESPONSE, "no running process is named worker"),
        ([process("shop", 100), process("worker", None)], Reason.NOT_PERMITTED, "another user"),
    ],
)
async def test_a_named_process_that_cannot_be_followed(machine, running, reason, told) -> None:
    machine.processes = running

    (block,) = await blocks(Blocks(machine, lambda: None), processes=("shop", "worker"))

    assert block.values["memory"].reason is reason
    assert told in block.values["memory"].detail


async def test_without_named_processes_the_machine_s_memory_is_followed(machine) -> None:
    (block,) = await blocks(Blocks(machine, lambda: None))

    assert block.values["memory"] == Mean((4000,))


async def test_a_sampling_without_a_window_is_a_bug_of_ours() -> None:
    with pytest.raises(ProbeFailedError, match="bug"):
        await blocks(None)
