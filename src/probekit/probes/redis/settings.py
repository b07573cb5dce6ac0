"""The settings of the kind `redis`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from probekit.probe import RepeatedConfig, SecretRef


class RedisProbe(RepeatedConfig):
    """One server that speaks the Redis protocol, as the application reaches it."""

    kind: Literal["redis"]
    url: SecretRef = Field(
        description="where its URL is kept: redis:// or rediss://, with user, password and database as needed"
    )
    role: Literal["master", "replica"] = Field("master", description="what the server must be")
    prefix: str = Field(
        "probekit:", min_length=1, description="what the canary's key begins with; our user may SET, INCR and DEL there"
    )
    settings: dict[str, int | str] = Field(
        {}, description="fields of INFO and what each must be, such as maxmemory (in bytes) and maxmemory_policy"
    )
