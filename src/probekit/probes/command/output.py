"""Quote the output of a program in a report."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from probekit.probes.command.program import Ended

TAIL: Final = 300  # characters of output that a report quotes

Clean = Callable[[str], str]


def tail(ended: Ended, clean: Clean) -> str:
    """The end of the output, on one line."""
    text = one_line((ended.out + b" " + ended.err).decode("utf-8", "replace"), clean)
    return text if len(text) <= TAIL else f"...{text[-TAIL:]}"


def one_line(text: str, clean: Clean) -> str:
    """The text without secrets and line breaks."""
    return " ".join(clean(text).split())
