"""Does the server take a write? A key of our own is set, counted up and deleted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from uuid import uuid4

from probekit.probe import Context, Exact, Failure, ProbeFailedError, Reason
from probekit.probes.redis.refusals import SILENT, RefusedError, failure
from probekit.probes.redis.session import Session
from probekit.probes.redis.settings import RedisProbe

_EXPIRY: Final = "30"  # seconds after which a canary that could not be deleted goes by itself
_ALLOW: Final = 'nothing may be written: add allow = ["canary-write"] to the environment'


async def write_canary(
    session: Session, config: RedisProbe, context: Context, facts: Mapping[str, str] | Failure
) -> tuple[Exact | Failure, str]:
    """Whether a key of our own could be set, counted up and deleted, and what was wrong."""
    if "canary-write" not in context.allow:
        return Failure(reason=Reason.MISSING_SETTING, detail=_ALLOW), ""
    if isinstance(facts, Failure) and not session.is_open:
        return facts, ""
    key = f"{config.prefix}{uuid4().hex}"
    steps = ((("SET", key, "41", "EX", _EXPIRY), b"OK"), (("INCR", key), 42), (("DEL", key), 1))
    for command, due in steps:
        try:
            answer = await session.call(*command)
        except ProbeFailedError as error:
            return _canary_failed(error, config)
        if answer != due:
            return Exact(0), f"{command[0]} of a key of our own does not give what it must"
    return Exact(1), ""


def _canary_failed(error: ProbeFailedError, config: RedisProbe) -> tuple[Exact | Failure, str]:
    if isinstance(error, RefusedError) and error.word in ("MOVED", "ASK"):
        return failure(error), ""
    if isinstance(error, RefusedError) and error.word == "READONLY" and config.role == "replica":
        return Exact(1), ""  # as a replica must
    if isinstance(error, RefusedError) or error.reason in SILENT:
        return Exact(0), error.detail
    return failure(error), ""
