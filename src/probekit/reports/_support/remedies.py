"""State what to do about a failure, and how to get an item verified."""

from __future__ import annotations

from typing import Final

from probekit.model.checklist import Severity
from probekit.model.measurement import Reason
from probekit.model.report import Report, Run
from probekit.model.verdict import Action, Flag, Outcome, Verdict
from probekit.reports._support.values import reason_in_words

_BY_REASON: Final[dict[Reason, str]] = {
    Reason.TIMEOUT: "find out why no response came in time; the probe's 'timeout' is the limit",
    Reason.BAD_RESPONSE: "read the answer: {probe}",
    Reason.NOT_PERMITTED: "permit it with 'allow' of the environment, if it is acceptable there",
    Reason.BUDGET_SPENT: "raise 'budget' of the environment, or allow load",
    Reason.UNREACHABLE: "check address, port and route from this machine ({probe})",
    Reason.UNRESOLVED: "check the host's name, and the resolver of this machine",
    Reason.NO_NETWORK: "check the network of this machine, and its proxy",
    Reason.UNTRUSTED: "name the certificate's authority in connect.ca, or renew the certificate",
    Reason.ACCESS_DENIED: "send a credential (connect.headers), or grant this machine access",
    Reason.REFUSED_CREDENTIALS: "correct the credential to which the setting refers",
    Reason.MISSING_SECRET: "set or correct the variable or the file that holds the secret",
    Reason.MISSING_FILE: "put the file in its place, or correct the setting that names it",
    Reason.MISSING_SETTING: "add the setting ({plan})",
    Reason.CUT_OFF: "verify again and let the run finish; 'deadline' limits its duration",
    Reason.NOT_MEASURED: "fix what failed, then verify again; --all measures everything now",
    Reason.OVERLOADED: "verify again when this machine is less busy, or from another one",
    Reason.BUG: "report this bug of probekit, with the output of --verbose",
}
_OF_URL: Final[dict[Reason, str]] = {  # where there is no file to change
    Reason.UNTRUSTED: "trust the certificate's authority with --ca FILE, or renew the certificate",
    Reason.ACCESS_DENIED: "send a credential with --header Authorization=VARIABLE, or grant this machine access",
}
_OF_RECORD: Final = (Reason.MISSING_SETTING, Reason.BAD_RESPONSE)  # of probekit's own record: its detail has a command
_COMMAND: Final = "probekit "
_OTHER_RECORDS: Final = ("unbound: ", "of another release: ", "too old: ")  # that do not count for this release
_BY_SEVERITY: Final = {
    Severity.CRITICAL: "fix it now; a rollback would not fix it",
    Severity.HIGH: "find the cause now",
    Severity.MEDIUM: "fix it in a hotfix or in the next release",
    Severity.LOW: "document it, and fix it in the next release",
}


def of_failure(verdict: Verdict, report: Report) -> str:
    """Return what to do about a failed item: the first of these that applies."""
    action, may_roll_back = report.decision.action, verdict.item.may_roll_back(verdict.band)
    is_in_time = verdict.due is not None and verdict.due > report.situation.now
    otherwise = "decide whether to roll back" if may_roll_back else "escalate"
    choices = (
        (action is Action.NO_GO and verdict.severity.is_grave, "do not deploy before it is fixed"),
        (action is Action.ROLLBACK and may_roll_back, "roll back to the previous release"),
        (Flag.OTHER_RELEASE in verdict.flags, "find out first why another release is served"),
        (is_in_time, f"find the cause by {verdict.due:%H:%M:%S} UTC, else {otherwise}" if verdict.due else ""),
        (may_roll_back, "fix it now, or decide by hand whether to roll back"),
        (not verdict.severity.is_grave and bool(verdict.item.criteria), "find out why: it is a success criterion"),
        (True, _BY_SEVERITY[verdict.severity]),
    )
    return next(text for applies, text in choices if applies)


def remedy(verdict: Verdict, report: Report) -> str:
    """Return what to do about one verdict; empty where it is settled."""
    if verdict.outcome.is_settled:
        return ""
    if verdict.outcome is Outcome.PENDING:
        return f"get the signature of {verdict.item.owner}, then verify again"
    return of_failure(verdict, report) if verdict.outcome is Outcome.FAIL else of_unverified(verdict, report.run)


def why(verdict: Verdict, report: Report) -> str:
    """Return the reason of a verdict; of one that another release makes inconclusive, that."""
    is_other = verdict.reason is None and Flag.OTHER_RELEASE in verdict.flags
    if is_other and verdict.outcome is not Outcome.FAIL:
        return f"{report.situation.release.because}, so its results do not apply to the expected version"
    return reason_in_words(verdict)


def is_not_of_the_release(verdict: Verdict) -> bool:
    """Return whether it is a critical failure that a rollback would not fix."""
    is_critical = verdict.outcome is Outcome.FAIL and verdict.severity is Severity.CRITICAL
    return is_critical and not verdict.item.may_roll_back(verdict.band)


def of_unverified(verdict: Verdict, run: Run) -> str:
    """Return how to get an item verified."""
    plan = f"probekit plan --env {run.environment} shows what it needs"
    probe = f"probekit probe {verdict.item.probe} --env {run.environment}"
    if run.is_of_url:
        plan = probe = f"probekit init {run.base_url} writes a configuration that can measure it"
    if verdict.outcome is Outcome.NOT_CONFIGURED:
        return plan
    if verdict.reason in _OF_RECORD and _COMMAND in verdict.because:
        return "do what the reason says, then verify again"
    if verdict.reason:
        texts = _BY_REASON | _OF_URL if run.is_of_url else _BY_REASON
        return texts[verdict.reason].format(probe=probe, plan=plan)
    return _of_undecided(verdict)


def _of_undecided(verdict: Verdict) -> str:
    """Return how to get an item verified that was read."""
    longer = "verify again; a longer 'window' or a higher rate decides sooner" if verdict.limit else "verify again"
    choices = (
        (Flag.OTHER_RELEASE in verdict.flags, "find out why another release is served, then verify again"),
        (
            verdict.because.startswith(_OTHER_RECORDS),
            "correct the record, or the release that it is compared with; then verify again",
        ),
        (Flag.UNTRUSTED in verdict.flags, "name its probe in 'trust' of the environment, or measure it another way"),
        (Flag.FLAKY in verdict.flags, "verify again: its measurements disagree"),
        (True, longer),
    )
    return next(text for applies, text in choices if applies)
