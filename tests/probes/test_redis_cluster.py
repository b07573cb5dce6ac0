"""Is a key found that the node keeps which is asked?"""

from __future__ import annotations

import pytest
from redis.crc import REDIS_CLUSTER_HASH_SLOTS, key_slot

from probekit.probes.redis import cluster
from probekit.probes.redis.cluster import has_hash_tag, key_in, own_slots

NODES = """\
07c37dfeb235213a872192d90877d0cd55635b91 127.0.0.1:30004@31004,host4 slave e7d1eecce10f 0 1426238317239 4 connected
67ed2db8d677e59ec4a4cefb06858cf2a1a89fa1 127.0.0.1:30002@31002,host2 master - 0 1426238316232 2 connected 5461-10922
e7d1eecce10fd6bb5eb35b9f99a514335d9ba9ca 127.0.0.1:30001@31001,host1 {flags} - 0 0 1 connected {slots}
"""


@pytest.mark.parametrize(
    ("slots", "kept"),
    [
        ("0-5460", set(range(5461))),
        ("7", {7}),
        ("1-3 7 16383", {1, 2, 3, 7, 16383}),
        ("1-3 [2->-67ed2db8d677]", {1, 3}),  # it leaves
        ("1-3 [9-<-67ed2db8d677]", {1, 2, 3}),  # it has not arrived
        ("", set()),
        ("99999 3-2 x 16383-99999 -", {16383}),
    ],
)
@pytest.mark.parametrize("flags", ["myself,master", "master,myself"])
def test_the_slots_of_the_node_that_answers(flags, slots, kept) -> None:
    assert own_slots(NODES.format(flags=flags, slots=slots)) == kept


def test_a_node_that_names_its_slots_over_and_over_is_not_read_on() -> None:
    slots = "0-16383 " * 100 + "x " * 1000
    ranges = NODES.format(flags="myself", slots=slots)
    taken = 0

    def counted(*arguments):
        nonlocal taken
        for slot in range(*arguments):
            taken += 1
            yield slot

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(cluster, "range", counted, raising=False)
        found = own_slots(ranges)

    assert found == frozenset(range(REDIS_CLUSTER_HASH_SLOTS))
    assert taken == REDIS_CLUSTER_HASH_SLOTS


@pytest.mark.parametrize("text", ["", "\n\n", "myself", "a b c", NODES.format(flags="notmyself,master", slots="1-3")])
def test_a_text_without_the_node_tells_none(text) -> None:
    assert own_slots(text) == frozenset()


@pytest.mark.parametrize("slots", [{0}, {REDIS_CLUSTER_HASH_SLOTS - 1}, set(range(5461))], ids=len)
def test_a_key_is_found_for_the_smallest_node(slots) -> None:
    key = key_in(slots, "probekit:0123")

    assert key is not None
    assert key.startswith("probekit:0123")
    assert key_slot(key.encode()) in slots


def test_no_key_is_found_where_there_is_none() -> None:
    assert key_in({1}, "{same}") is None  # its slot is another


@pytest.mark.parametrize(
    ("prefix", "has_tag"),
    [
        ("probekit:", False),
        ("{a}:", True),
        ("x{a}", True),
        ("{}a", False),
        ("{a", False),
        ("a}{", False),
        ("{}{a}", False),
    ],
)
def test_a_hash_tag_as_the_cluster_reads_it(prefix, has_tag) -> None:
    assert has_hash_tag(prefix) == has_tag
    assert (key_slot(f"{prefix}1".encode()) == key_slot(f"{prefix}2".encode())) == has_tag
