"""Inspect a running system from outside, with few requests, for a first probes.toml."""

from probekit.workflows.discover.asking import MOST_REQUESTS
from probekit.workflows.discover.found import Discovery, HealthFound, Standing
from probekit.workflows.discover.look import Start, discover

__all__ = ["MOST_REQUESTS", "Discovery", "HealthFound", "Standing", "Start", "discover"]
