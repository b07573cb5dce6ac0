"""A report with something of everything, in which one text stands in every place that is not probekit's own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from builders import Make

from probekit.model.checklist import Severity
from probekit.model.document import BaselineComparison, Document, Place
from probekit.model.history import Deployment, History, PooledEvidence
from probekit.model.limit import parse_limit
from probekit.model.maintenance import Maintenance, Period
from probekit.model.measurement import InstanceKey, Reason
from probekit.model.people import Contact, Paging
from probekit.model.readings import Share
from probekit.model.record import Identity, Record
from probekit.model.report import Report
from probekit.model.success import SuccessCriterion
from probekit.model.verdict import Flag, Outcome, Release, Served, Verdict


def everything(make: Make, report_of: Callable[..., Report], text: str = "plain") -> Report:
    """A report in which that text stands in every place that is not probekit's own."""
    item = make.item("up == 1", title=f"health {text}", text=f"Run health check {text}", matrix_row=make.rollback_row)
    tls = make.item(
        "time_left > 30 d", id="pre.security.tls-days-left", severity=Severity.MEDIUM, probe="certificate", text=text,
        bound_to="release", changed_from=(parse_limit("time_left > 60 d"), parse_limit("chain == 1")),
        changed_reason=text,
    )  # fmt: skip
    own = make.item("up == 1", id=f"own.{text}", title=text, text=text, is_own=True, severity=Severity.HIGH)
    slow = make.item("p95 < 500 ms", id="deploy.performance.p95", probe="api", severity=Severity.LOW, text=text)
    record = Record(release=text, by=text, place=text)
    verdicts = (
        Verdict(item=item, outcome=Outcome.FAIL, because=f"no response: {text}", observed=0.0, limit=item.expect[0],
                summary=text, since=make.now - timedelta(minutes=3)),
        Verdict(item=tls, outcome=Outcome.PASS, because=f"time left 365 d; {text}", observed=365.0,
                limit=tls.expect[0], flags=frozenset({Flag.REPORTED, Flag.FLAKY, Flag.CHANGED}), records=(record,)),
        Verdict(item=own, outcome=Outcome.ERROR, because=f"timeout: {text}", reason=Reason.TIMEOUT),
        Verdict(item=slow, outcome=Outcome.FAIL, because=f"p95 812 ms; {text}", observed=812.0, limit=slow.expect[0]),
        Verdict(item=replace(slow, id="deploy.performance.none"), outcome=Outcome.NOT_APPLICABLE, because=text),
        Verdict(item=replace(slow, id="deploy.performance.signed", probe=None), outcome=Outcome.PENDING, because=text),
        Verdict(item=replace(slow, id="deploy.performance.waived"), outcome=Outcome.WAIVED, because=text),
    )  # fmt: skip
    measured = make.measurement(up=0.0, note=text)
    report = report_of(
        *verdicts,
        measurements=(measured,),
        run={
            "vantage": f"ci-7 {text}",
            "config_file": f"probes {text}.toml",
            "config_hash": "f" * 64,
            "deployed_by": text,
            "reviewed_by": text,
            "paging": Paging(contacts=(Contact(role="on_call", name=text, contact=text),),
                             page={Severity.CRITICAL: ("on_call",)}),
            "notes": (text,),
            "deployment_window": Period(start=make.now, end=make.now + timedelta(hours=1)),
        },
        maintenance=(Maintenance(start=make.now, end=make.now + timedelta(hours=1), reason=text),),
        release=Release(expected=("2.4.0",), answers={f"2.3.1 {text}": 2}, served=Served.OTHER, because=text),
        identity=Identity(release="2.4.0", commit="c0ffee1", images={text: "sha256:" + "a" * 64}, previous=text),
        contradictions=(text,),
        history=History(
            deployment=Deployment(release=text, started=make.now - timedelta(minutes=9)),
            previous=Identity(release=text),
            answered=frozenset({"b" * 16}),
        ),
    )  # fmt: skip
    lines = {one.item.id: one.item.text for one in verdicts if not one.item.is_own}
    return replace(
        report,
        checklist=f"a list {text}",
        evidence={InstanceKey("api", text): PooledEvidence(release=text, deployment=make.now, fingerprint="f",
                                                           values={"errors": Share((1, 0), (9, 8))})},
        answered=frozenset({"a" * 16}),
        document=Document(
            phases={"deploy": f"Deployment {text}", "pre": "Before", "signoff": "Sign-Off"},
            sections={"deploy.services": f"Services {text}", "signoff.approvals": "Sign-Off"},
            lines={**lines, "signoff.approvals.lead": text, "pre.docs.out-of-scope": text},
            signers={"signoff.approvals.lead": text},
        ),
        criteria=(SuccessCriterion(id="criterion", group=f"All {text}", text=text, items=(item.id,)),),
        baseline=(
            BaselineComparison(id="api-p95", text="API (p95): `____ ms`", target=text, instance=text, before=100.0,
                               windows=3, after=212.5, unit="ms", limit="p95 at most 10 % over baseline",
                               outcome=Outcome.FAIL, because=text),
        ),
        places={"": Place(file=f"probes {text}.toml", keys=("env", text))},
    )  # fmt: skip
