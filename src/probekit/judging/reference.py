"""What a reading is held against beside its limit: a baseline, or earlier windows of the same release."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from probekit.model.readings import BaselineValues, Counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """What is known from before of one metric of one instance."""

    baseline: BaselineValues | None = None  # one statistic per window before the deployment
    traffic: BaselineValues | None = None  # requests per block in those windows, where the target counted everybody's
    lacking: str = ""  # why there is no baseline to compare with
    earlier: Counted | None = None  # what earlier windows of the same release gave


NO_REFERENCE: Final = Reference()
