"""The layers of a target that a probe reads."""

from __future__ import annotations

from typing import Final, Literal

Layer = Literal[
    "application", "edge", "logs", "certificate", "dns", "database", "cache", "host", "platform", "services",
    "monitoring", "record",
]  # fmt: skip  # record: not a live system
OF_RELEASE: Final = frozenset[Layer](
    ("application", "edge", "logs")
)  # layers whose state depends on the served release
