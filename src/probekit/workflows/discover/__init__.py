"""Look at a running system from outside, with few requests, and return what a first probes.toml can say of it."""

from probekit.workflows.discover.asking import MOST_REQUESTS
from probekit.workflows.discover.found import Discovery, HealthFound, Standing
from probekit.workflows.discover.look import Start, discover

__all__ = ["MOST_REQUESTS", "Discovery", "HealthFound", "Standing", "Start", "discover"]
