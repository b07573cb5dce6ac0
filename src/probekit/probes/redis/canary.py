"""The canary write: a key under the configured prefix is set, incremented and deleted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from uuid import uuid4

from probekit.probe import Context, Exact, Failure, ProbeFailedError, Reason
from probekit.probes.redis.cluster import has_hash_tag, key_in, own_slots
from probekit.probes.redis.refusals import SILENT, RefusedError, failure
from probekit.probes.redis.session import Session
from probekit.probes.redis.settings import RedisProbe

_EXPIRY: Final = "30"  # seconds after which a canary expires that could not be deleted
_ALLOW: Final = 'writes are not allowed: add allow = ["canary-write"] to the environment'
_SLOTS: Final = (
    "the canary's key must be in a slot of this node: permit +cluster|nodes to the URL's user, or put a hash tag of "
    'this node into prefix, such as prefix = "probekit:{TAG}:"'
)


async def write_canary(
    session: Session, config: RedisProbe, context: Context, facts: Mapping[str, str] | Failure
) -> tuple[Exact | Failure, str]:
    """Return whether a key could be set, incremented and deleted, and what was wrong."""
    if "canary-write" not in context.allow:
        return Failure(reason=Reason.MISSING_SETTING, detail=_ALLOW), ""
    if isinstance(facts, Failure) and not session.is_open:
        return facts, ""
    try:
        key = await _key(session, config.prefix, facts)
    except ProbeFailedError as error:
        return failure(error), ""
    steps = ((("SET", key, "41", "EX", _EXPIRY), b"OK"), (("INCR", key), 42), (("DEL", key), 1))
    for command, due in steps:
        try:
            answer = await session.call(*command)
        except ProbeFailedError as error:
            return _canary_failed(error, config, facts)
        if answer != due:
            return Exact(0), f"{command[0]} of the canary's key returned a wrong result"
    return Exact(1), ""


async def _key(session: Session, prefix: str, facts: Mapping[str, str] | Failure) -> str:
    """Return a new key; in a cluster one in a slot of the node that is measured.

    Raises:
        ProbeFailedError: the node does not report its slots.
    """
    key = f"{prefix}{uuid4().hex}"
    if isinstance(facts, Failure) or facts.get("cluster_enabled") != "1" or has_hash_tag(prefix):
        return key
    try:
        answer = await session.call("CLUSTER", "NODES")
    except RefusedError:  # a proxy that hides its nodes accepts any key
        return key
    except ProbeFailedError as error:
        hint = f"; {_SLOTS}" if error.reason is Reason.NOT_PERMITTED else ""
        raise ProbeFailedError(error.reason, error.detail + hint) from error
    slots = own_slots(answer.decode("utf-8", "replace") if isinstance(answer, bytes) else "")
    return (key_in(slots, key) or key) if slots else key


def _canary_failed(
    error: ProbeFailedError, config: RedisProbe, facts: Mapping[str, str] | Failure
) -> tuple[Exact | Failure, str]:
    word = error.word if isinstance(error, RefusedError) else ""
    is_replica = config.role == "replica" and not isinstance(facts, Failure) and facts.get("role") == "slave"
    if config.role == "replica" and (word == "READONLY" or (is_replica and word == "MOVED")):
        return Exact(1), ""  # as required of a replica; in a cluster it names its master
    if word in ("MOVED", "ASK"):
        return failure(error), ""
    if isinstance(error, RefusedError) or error.reason in SILENT:
        return Exact(0), error.detail
    return failure(error), ""
