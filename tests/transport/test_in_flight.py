"""Places at one host: few at once, in the order of asking, and one alone that nothing else is beside."""

from __future__ import annotations

import asyncio

import pytest

from probekit.transport.in_flight import InFlight


class Crowd:
    """Tasks that hold a place until they are let go."""

    def __init__(self, most: int) -> None:
        self.places = InFlight(most)
        self.inside: list[str] = []
        self.ends: dict[str, asyncio.Event] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}

    async def come(self, *names: str) -> None:
        """Each asks for a place, alone if its name is in capitals."""
        for name in names:
            self.ends[name] = asyncio.Event()
            self.tasks[name] = asyncio.create_task(self._hold(name))
            await self.settle()

    async def go(self, *names: str) -> None:
        """Each gives its place back."""
        for name in names:
            self.ends[name].set()
        await self.settle()

    async def settle(self) -> None:
        for _ in range(5):
            await asyncio.sleep(0)

    async def _hold(self, name: str) -> None:
        async with self.places.place(alone=name.isupper()):
            self.inside.append(name)
            try:
                await self.ends[name].wait()
            finally:
                self.inside.remove(name)


async def test_so_many_at_once_and_the_rest_in_their_order() -> None:
    crowd = Crowd(2)
    await crowd.come("a", "b", "c", "d")

    assert crowd.inside == ["a", "b"]
    await crowd.go("a")
    assert crowd.inside == ["b", "c"]
    await crowd.go("b", "c", "d")
    assert crowd.inside == []


async def test_one_alone_waits_for_all_and_is_not_overtaken() -> None:
    crowd = Crowd(4)
    await crowd.come("a", "b", "X", "c", "Y", "d")

    assert crowd.inside == ["a", "b"]
    await crowd.go("a")
    assert crowd.inside == ["b"]
    await crowd.go("b")
    assert crowd.inside == ["X"]
    await crowd.go("X")
    assert crowd.inside == ["c"]
    await crowd.go("c")
    assert crowd.inside == ["Y"]
    await crowd.go("Y")
    assert crowd.inside == ["d"]


@pytest.mark.parametrize("cancelled", ["X", "c"])
async def test_who_gives_up_waiting_keeps_nobody_waiting(cancelled: str) -> None:
    crowd = Crowd(2)
    await crowd.come("a", "X", "c", "d")

    crowd.tasks[cancelled].cancel()
    await crowd.go("a", "X")

    assert crowd.inside == (["c", "d"] if cancelled == "X" else ["d"])


@pytest.mark.parametrize("steps", [0, 1, 2])
async def test_who_gives_up_in_the_moment_of_its_turn_hands_it_on(steps: int) -> None:
    crowd = Crowd(1)
    await crowd.come("a", "b", "c")

    crowd.ends["a"].set()
    for _ in range(steps):
        await asyncio.sleep(0)  # after one, a has given its place to b, which has not woken yet
    crowd.tasks["b"].cancel()
    await crowd.settle()

    assert crowd.inside == ["c"]
