"""The options of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from probekit.config.target import Config
from probekit.model.history import Deployment, History, is_ahead
from probekit.model.ledger import Ledger
from probekit.model.maintenance import Maintenance
from probekit.model.record import Identity
from probekit.model.responsible import Responsible
from probekit.model.verdict import Stage
from probekit.planning.selection import Selection

_NO_STATE: Final = "a run from Python reads no state file, so earlier runs are not known"


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
    configured_release: tuple[Identity, tuple[str, ...]] | None = None  # with notes, if already read
    wait_release: float = 0.0
    settle: bool = True
    strict: bool = False
    measure_all: bool = False  # also after a confirmed failure has fixed the decision
    responsible: Responsible = field(default_factory=Responsible)  # people whom the caller names for the release
    facts: Mapping[str, bool] = field(default_factory=dict)  # of the checklist, in addition to the configuration
    maintenance: tuple[Maintenance, ...] = ()  # in addition to that of the configuration
    notes: tuple[str, ...] = ()  # notes of the caller for the report
    config_loaded: Config | None = None  # the configuration that `config` or `url` name, if already read


def with_history(options: RunOptions, history: History, stage: Stage | None) -> RunOptions:
    """Return the options with what is on record; without a given stage, a rollback on record decides it."""
    deployment = history.deployment
    is_back = deployment is not None and deployment.rolled_back is not None
    return replace(options, history=history, stage=stage or (Stage.ROLLED_BACK if is_back else Stage.AFTER))


def history_at(moment: datetime, release: str | None) -> History:
    """Return the history of a run whose caller states when its release was deployed.

    Raises:
        RequestError: the moment lies in the future.
    """
    if is_ahead(moment, datetime.now(UTC)):
        raise RequestError(
            f"deployed {moment.isoformat()} lies in the future by this machine's clock; correct one of them"
        )
    deployment = Deployment(release=release, started=moment, finished=moment)
    return History(deployment=deployment, ledger=Ledger(lacking=_NO_STATE))
