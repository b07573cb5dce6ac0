"""One running target for all tests that leave it as it was, and clients that trust it."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterator

import httpx
import psutil
import pytest

from probekit.demo.launcher import Launcher, launching
from probekit.demo.target import Target, running_target

Until = Callable[..., None]
Client = Callable[..., httpx.Client]


@pytest.fixture(scope="session")
def until() -> Until:
    """Wait for a condition, but not for ever."""

    def wait(is_true: Callable[[], bool], within: float = 20.0) -> None:
        deadline = time.monotonic() + within
        while not is_true():
            assert time.monotonic() < deadline, f"not so within {within} s"
            time.sleep(0.01)

    return wait


@pytest.fixture(scope="session")
def is_gone() -> Callable[[int], bool]:
    """Whether a process is gone; in a container whose first process reaps nobody, a zombie is as gone as it gets."""

    def look(pid: int) -> bool:
        try:
            return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
        except psutil.NoSuchProcess:
            return True

    return look


@pytest.fixture(scope="session")
def connect() -> Client:
    """A client of a target that trusts its authority and, unless told otherwise, has the exempt key."""

    def make(target: Target, *, is_exempt: bool = True) -> httpx.Client:
        return httpx.Client(
            base_url=target.base_url,
            verify=ssl.create_default_context(cafile=target.ca_file),
            headers={"X-Demo-Key": target.key_file.read_text().strip()} if is_exempt else {},
            timeout=5,
        )

    return make


@pytest.fixture(scope="session")
def shared_target() -> Iterator[Target]:
    with running_target() as running:
        yield running


@pytest.fixture
def target(shared_target: Target) -> Iterator[Target]:
    """The shared target, whatever was planted taken back."""
    yield shared_target
    shared_target.repair()


@pytest.fixture
def client(target: Target, connect: Client) -> Iterator[httpx.Client]:
    with connect(target) as made:
        yield made


@pytest.fixture(scope="module")
def launcher() -> Iterator[Launcher]:
    """One for all tests of a file: whatever they leave running ends with it."""
    with launching() as started:
        yield started
