"""State the decision as a state of Nagios, which is also the exit code of a monitoring plugin."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from probekit.model.report import Report
from probekit.model.verdict import Action, Outcome


class NagiosStatus(IntEnum):
    """The states of a service and their exit codes: Monitoring Plugins Development Guidelines, "Return Codes"."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3


_BY_ACTION: Final = {
    Action.GO: NagiosStatus.OK,
    Action.PARTIAL: NagiosStatus.OK,
    Action.HOLD: NagiosStatus.WARNING,
    Action.INVESTIGATE: NagiosStatus.WARNING,
    Action.NO_GO: NagiosStatus.CRITICAL,
    Action.ROLLBACK: NagiosStatus.CRITICAL,
    Action.UNDECIDED: NagiosStatus.UNKNOWN,
}


def nagios_status(report: Report) -> NagiosStatus:
    """Return the state of a report.

    An investigation is critical where it begins now (`INVESTIGATE NOW`), or where an item failed at high or critical
    severity. A run that a signal ended has an unknown state.
    """
    decision = report.decision
    if report.exit_code != decision.action.exit_code:  # that of a signal
        return NagiosStatus.UNKNOWN
    if decision.action is Action.INVESTIGATE:
        is_now = decision.minutes is not None and decision.minutes < 1
        failed = [one for one in report.verdicts if one.outcome is Outcome.FAIL]
        if is_now or any(one.severity.is_grave for one in failed):
            return NagiosStatus.CRITICAL
    return _BY_ACTION[decision.action]
