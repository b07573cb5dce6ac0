"""The reference of a limit: a baseline, or earlier windows of the same release."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from probekit.model.readings import BaselineValues, Counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """Earlier readings of one metric of one instance."""

    baseline: BaselineValues | None = None  # one statistic per window before the deployment
    traffic: BaselineValues | None = None  # requests per block in those windows, where the target counts all requests
    lacking: str = ""  # why there is no baseline to compare with
    earlier: Counted | None = None  # earlier windows of the same release


NO_REFERENCE: Final = Reference()
