"""The contacts of an environment, and whom a decision calls."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from probekit.model.checklist import Severity
from probekit.model.verdict import Action, Decision, Outcome, Verdict

DEPLOYMENT_LEAD: Final = "deployment_lead"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """A person or a team, and how to reach them."""

    role: str
    name: str
    contact: str = ""

    def __str__(self) -> str:
        return ", ".join(filter(None, (self.name, self.contact)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Paging:
    """The contacts of an environment, and which of their roles are called for which severity."""

    contacts: tuple[Contact, ...] = ()
    page: Mapping[Severity, tuple[str, ...]] = field(default_factory=dict)

    def of(self, severity: Severity) -> tuple[Contact, ...]:
        """Who is called about a failure of that severity, in order."""
        return self._named(self.page.get(severity, ()))

    def _named(self, roles: Iterable[str]) -> tuple[Contact, ...]:
        known = {contact.role: contact for contact in self.contacts}
        return tuple(known[role] for role in dict.fromkeys(roles) if role in known)

    def to_call(self, decision: Decision, verdicts: Sequence[Verdict], *, strict: bool) -> tuple[Contact, ...]:
        """Who is called now because of a decision, in order, each once; a go calls no contact.

        Args:
            decision: of the run.
            verdicts: that it rests on.
            strict: whether a failure counts that could otherwise wait.
        """
        failed = [one for one in verdicts if one.outcome is Outcome.FAIL and (strict or not one.is_follow_up)]
        return self._named(self._roles(decision, failed))

    def _roles(self, decision: Decision, failed: Sequence[Verdict]) -> tuple[str, ...]:
        """A rollback: as for critical. What is not decided: by what failed. All else that stops a release: its lead."""
        gravest = max((one.severity for one in failed), key=lambda severity: severity.gravity, default=None)
        by_severity = self.page.get(gravest, ()) if gravest else (DEPLOYMENT_LEAD,)
        match decision.action:
            case Action.GO | Action.PARTIAL:
                return ()
            case Action.ROLLBACK:
                return self.page.get(Severity.CRITICAL, ())
            case Action.INVESTIGATE | Action.UNDECIDED:
                return by_severity
            case Action.NO_GO:
                return (DEPLOYMENT_LEAD, *by_severity)
            case _:
                return (DEPLOYMENT_LEAD,)
