"""What a caller asks of a run."""

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
    """What was asked for does not exist; the message names what does."""


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """What a caller wants verified."""

    environment: str | None = None  # None: the only one of the file
    config: Path = Path("probes.toml")
    url: str | None = None  # instead of a file
    ca: Path | None = None  # of a URL: CA certificates in addition to the system's
    headers: Mapping[str, str] = field(default_factory=dict)  # of a URL: header to the variable of its value
    stage: Stage = Stage.AFTER
    selection: Selection = field(default_factory=Selection)
    history: History = field(default_factory=History)
    release: str | None = None
    wait_release: float = 0.0
    settle: bool = True
    strict: bool = False
    measure_all: bool = False  # also what a confirmed failure, which has fixed the decision, makes needless
    responsible: Responsible = field(default_factory=Responsible)  # for the release, as the caller names them
    maintenance: tuple[Maintenance, ...] = ()  # besides that of the configuration
    notes: tuple[str, ...] = ()  # what the report says besides its own notes
    config_loaded: Config | None = None  # what `config` or `url` name, where it was read already


def history_at(moment: datetime, release: str | None) -> History:
    """The history of a run whose caller says when its release was put in place.

    Raises:
        RequestError: the moment lies in the future.
    """
    if is_ahead(moment, datetime.now(UTC)):
        raise RequestError(f"deployed {moment.isoformat()} lies in the future of this clock; correct one of them")
    return History(deployment=Deployment(release=release, started=moment, finished=moment))
