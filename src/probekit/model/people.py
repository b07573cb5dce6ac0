"""The contacts of an environment, and which of them to call for a decision."""

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
    """The contacts of an environment, and the roles to call for each severity."""

    contacts: tuple[Contact, ...] = ()
    page: Mapping[Severity, tuple[str, ...]] = field(default_factory=dict)

    def of(self, severity: Severity) -> tuple[Contact, ...]:
        """The contacts to call for a failure of that severity, in order."""
        return self._named(self.page.get(severity, ()))

    def _named(self, roles: Iterable[str]) -> tuple[Contact, ...]:
        known = {contact.role: contact for contact in self.contacts}
        return tuple(known[role] for role in dict.fromkeys(roles) if role in known)

    def to_call(self, decision: Decision, verdicts: Sequence[Verdict], *, strict: bool) -> tuple[Contact, ...]:
        """The contacts to call for a decision, in order, each once; a go calls no contact.

        Args:
            decision: of the run.
            verdicts: the basis of the decision.
            strict: whether a failure counts that could wait otherwise.
        """
        failed = [one for one in verdicts if one.outcome is Outcome.FAIL and (strict or not one.is_follow_up)]
        return self._named(self._roles(decision, failed))

    def _roles(self, decision: Decision, failed: Sequence[Verdict]) -> tuple[str, ...]:
        """The roles to call: for a rollback as for critical; if undecided, by the failures; else the lead."""
        most_severe = max((one.severity for one in failed), key=lambda severity: severity.gravity, default=None)
        by_severity = self.page.get(most_severe, ()) if most_severe else (DEPLOYMENT_LEAD,)
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
