"""The shop's settings, sent over its private channel, because other users can read a command line."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Settings:
    """Everything the shop needs; a port of 0 is any free one."""

    database: str
    cache: str
    certificates: Mapping[str, str]
    exempt_key: str
    passwords: Mapping[str, str]
    log: str
    https_port: int
    plain_port: int
    control_port: int
