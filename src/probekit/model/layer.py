"""The layers of a target: what a probe reads."""

from __future__ import annotations

from typing import Final, Literal

Layer = Literal[
    "application", "edge", "logs", "certificate", "dns", "database", "cache", "host", "platform", "services",
    "monitoring", "record",
]  # fmt: skip  # what a probe reads: a layer of the target, or no live system at all
OF_RELEASE: Final = frozenset[Layer](("application", "edge", "logs"))  # what the served release itself decides
