"""Find the cluster slots of a node, and a key in one of them; the node answers any other key with MOVED."""

from __future__ import annotations

import re
from collections.abc import Container
from itertools import islice
from typing import Final

from redis.crc import REDIS_CLUSTER_HASH_SLOTS, key_slot

_RANGE: Final = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?")
_LEAVING: Final = re.compile(r"\[(\d{1,5})->-")  # a slot that is being moved to another node (ASK)
_HASH_TAG: Final = re.compile(r"[^{]*\{[^}]+\}")  # of a key: only the text in braces is hashed
_MOST_KEYS: Final = 20 * REDIS_CLUSTER_HASH_SLOTS  # tries; for a node of a single slot, one in 5e8 runs finds no key


def has_hash_tag(prefix: str) -> bool:
    """Return whether every key with that prefix is in one slot (Redis cluster specification, "Hash tags")."""
    return _HASH_TAG.match(prefix) is not None


def own_slots(nodes: str) -> frozenset[int]:
    """Return the slots of the answering node, without those that are being moved to or from it.

    Args:
        nodes: the answer of CLUSTER NODES: a line for each node with eight fields, then its slots.
    """
    lines = (line.split() for line in nodes.splitlines())
    fields = next((line[8:] for line in lines if "myself" in "".join(line[2:3]).split(",")), [])
    ranges = [(int(found[1]), int(found[2] or found[1])) for found in map(_RANGE.fullmatch, fields) if found]
    leaving = {int(found[1]) for found in map(_LEAVING.match, fields) if found}
    kept = (slot for low, high in ranges for slot in range(low, min(high + 1, REDIS_CLUSTER_HASH_SLOTS)))
    return frozenset(islice(kept, REDIS_CLUSTER_HASH_SLOTS)) - leaving  # a limit: overlapping ranges could take hours


def key_in(slots: Container[int], beginning: str) -> str | None:
    """Return a key with that beginning in one of these slots, None where none is found."""
    keys = (f"{beginning}{number}" for number in range(_MOST_KEYS))
    return next((key for key in keys if key_slot(key.encode()) in slots), None)
