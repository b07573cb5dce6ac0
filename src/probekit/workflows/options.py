"""The options of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from probekit.config.target import Config
from probekit.model.history import Deployment, History, is_ahead
from probekit.model.maintenance import Maintenance
from probekit.model.responsible import Responsible
from probekit.model.verdict import Stage
from probekit.planning.selection import Selection


class RequestError(Exception):
    """The request is wrong or names something unknown; the message names what is known."""


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """What to verify, and how."""

    environment: str | None = None  # None: the only one of the file
    config: Path = Path("probes.toml")
    url: str | None = None  # instead of a file
    ca: Path | None = None  # for a URL: CA certificates in addition to the system's
    headers: Mapping[str, str] = field(default_factory=dict)  # for a URL: header to the variable of its value
    stage: Stage = Stage.AFTER
    selection: Selection = field(default_factory=Selection)
    history: History = field(default_factory=History)
    release: str | None = None
    wait_release: float = 0.0
    settle: bool = True
    strict: bool = False
    measure_all: bool = False  # also after a confirmed failure has fixed the decision
    responsible: Responsible = field(default_factory=Responsible)  # people whom the caller names for the release
    maintenance: tuple[Maintenance, ...] = ()  # in addition to that of the configuration
    notes: tuple[str, ...] = ()  # notes of the caller for the report
    config_loaded: Config | None = None  # the configuration that `config` or `url` name, if already read


def history_at(moment: datetime, release: str | None) -> History:
    """Return the history of a run whose caller states when its release was deployed.

    Raises:
        RequestError: the moment lies in the future.
    """
    if is_ahead(moment, datetime.now(UTC)):
        raise RequestError(
            f"deployed {moment.isoformat()} lies in the future by this machine's clock; correct one of them"
        )
    return History(deployment=Deployment(release=release, started=moment, finished=moment))
