"""The settings of the kind `redis`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from probekit.probe import RepeatedConfig, SecretRef


class RedisProbe(RepeatedConfig):
    """One server that speaks the Redis protocol, as the application reaches it."""

    kind: Literal["redis"]
    url: SecretRef = Field(
        description="where its URL is kept, as the application writes it: redis:// or rediss://, with user, password "
        "and database as needed; unix:///PATH?db=0; redis+sentinel://HOST:PORT,HOST:PORT/MASTER/0; "
        "redis+cluster://HOST:PORT,HOST:PORT, of which the first that answers is measured"
    )
    role: Literal["master", "replica"] = Field("master", description="what the server must be")
    sentinel_master: str | None = Field(
        None, min_length=1, description="the name of the master, where the URL is of sentinels and does not say it"
    )
    prefix: str = Field(
        "probekit:", min_length=1, description="what the canary's key begins with; our user may SET, INCR and DEL there"
    )
    settings: dict[str, int | str] = Field(
        {}, description="fields of INFO and what each must be, such as maxmemory (in bytes) and maxmemory_policy"
    )
