"""The settings of the kind `redis`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from probekit.probe import RepeatedConfig, SecretRef


class RedisProbe(RepeatedConfig):
    """A server that speaks the Redis protocol, as the application reaches it."""

    kind: Literal["redis"]
    url: SecretRef = Field(
        description="Reference to the URL, as the application writes it: redis:// or rediss://, with user, password "
        "and database as needed; unix:///PATH?db=0; redis+sentinel://HOST:PORT,HOST:PORT/MASTER/0; "
        "redis+cluster://HOST:PORT,HOST:PORT, of which the first that answers is measured."
    )
    role: Literal["master", "replica"] = Field("master", description="Role that the server must have.")
    sentinel_master: str | None = Field(
        None, min_length=1, description="Name of the master, for a URL of sentinels that does not name it."
    )
    prefix: str = Field(
        "probekit:",
        min_length=1,
        description="Beginning of the canary's key; the URL's user needs SET, INCR and DEL on such keys.",
    )
    settings: dict[str, int | str] = Field(
        {}, description="Required values of INFO fields, such as maxmemory (in bytes) and maxmemory_policy."
    )
