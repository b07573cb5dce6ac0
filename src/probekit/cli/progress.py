"""The progress of a run on a terminal."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from probekit.cli.display import Display, can_change_lines
from probekit.cli.output import colour, width_of, write_stderr
from probekit.drawing import WIDTH, Style, painted
from probekit.engine.context import RunObserver
from probekit.model.numbers import count, span
from probekit.model.plan import Step
from probekit.model.verdict import Outcome, Verdict
from probekit.text import escape, shortened, words

_STYLES: Final[dict[Outcome, Style]] = {
    Outcome.PASS: "good",
    Outcome.FAIL: "bad",
    Outcome.ERROR: "warn",
    Outcome.INCONCLUSIVE: "warn",
}
_BAR: Final = 20  # columns
_OUTCOME: Final = 14  # columns of the longest outcome, which is aligned on a wide terminal only
_WITHOUT_LABEL: Final = 45  # columns of a line without its label


@contextmanager
def shown_progress(*, quiet: bool = False) -> Iterator[RunObserver | None]:
    """Show the progress of a run on stderr if that is a terminal; elsewhere yield None and show nothing."""
    stream = sys.stderr
    if quiet or not can_change_lines(stream):
        yield None
        return
    progress = Progress(colour=colour(stream_is_terminal=True), is_ascii="utf" not in (stream.encoding or "").lower())
    with Display(stream, progress.lines):
        yield progress


@dataclass(frozen=True, slots=True, kw_only=True)
class _Activity:
    """A step or a wait: when it began, by the monotonic clock, and how long it takes."""

    label: str
    detail: str = ""  # empty: show a bar
    began: float
    seconds: float


class Progress(RunObserver):
    """Shows running steps in changing lines, and each new verdict in a line that stays.

    Another thread calls `lines`: shared data is copied by a single call.
    """

    def __init__(self, *, colour: bool, is_ascii: bool = False, elapsed: Callable[[], float] = time.monotonic) -> None:
        self._colour = colour
        self._full, self._rest = "#-" if is_ascii else "━─"
        self._elapsed = elapsed
        self._start = elapsed()
        self._activities: dict[object, _Activity] = {}  # steps and waits
        self._steps = 0
        self._over: set[object] = set()
        self._outcomes: Counter[Outcome] = Counter()

    def started(self, steps: Sequence[Step[object]]) -> None:
        """Note that a run of these steps begins."""
        self._steps = len(steps)

    def waiting(self, what: str, until: datetime) -> None:
        """Note that the run waits for something, at most until then."""
        self._activities[what] = self._activity(f"waiting for {what}", until)

    def waited(self, what: str) -> None:
        """Note that this wait ended."""
        self._activities.pop(what, None)

    def began(self, step: Step[object], until: datetime) -> None:
        """Note that a step runs, at most until then."""
        label = f"{step.name} ({step.kind})"
        if step.window:
            one = _Activity(label=label, began=self._elapsed(), seconds=step.window)
        else:
            one = self._activity(label, until, count(step.repeat, "measurement"))
        self._activities[step.key] = one

    def extended(self, step: Step[object], until: datetime) -> None:
        """Note that a sampling takes one more window."""
        self._print(f"one more window of {step.name}: an item is undecided")
        self.began(step, until)

    def ended(self, step: Step[object]) -> None:
        """Note that the step does not run now."""
        self._activities.pop(step.key, None)

    def judged(self, step: Step[object], verdicts: Sequence[Verdict]) -> None:
        """Note that a step is over, and show the verdicts on its items so far."""
        self._over.add(step.key)
        for verdict in verdicts:
            self._outcomes[verdict.outcome] += 1
            self._print(f"{verdict.item.id}: {verdict.because}", verdict.outcome)

    def lines(self, width: int, height: int) -> list[str]:
        """Return a line for each running step or wait and one for the whole run, within so many columns and lines."""
        now, activities = self._elapsed(), list(self._activities.values())
        room = max(height - 2, 1)
        shown = activities if len(activities) <= room else activities[: room - 1]
        label = min(max((len(one.label) for one in shown), default=0), max(width - _WITHOUT_LABEL, 0))
        lines = [self._line(one, now, label) for one in shown]
        if more := len(activities) - len(shown):
            lines.append(f"  and {more} more")
        return [shortened(escape(line), width) for line in [*lines, self._whole(now)]]

    def _line(self, one: _Activity, now: float, label: int) -> str:
        passed = min(max(now - one.began, 0.0), one.seconds)
        full = round(_BAR * passed / one.seconds) if one.seconds > 0 else _BAR
        middle = one.detail or self._full * full + self._rest * (_BAR - full)
        most = span(round(one.seconds))
        times = f"{span(int(passed))}, at most {most}" if one.detail else f"{span(int(passed))} of {most}"
        return f"  {shortened(one.label, label):{label}}  {middle:{_BAR}}  {times}"

    def _whole(self, now: float) -> str:
        """Return the summary of the run so far: its time, the finished probes, and the outcomes."""
        over = f"{len(self._over)} of {count(self._steps, 'probe')} done" if self._steps else ""
        outcomes = [f"{number} {words(outcome)}" for outcome, number in list(self._outcomes.items())]
        return "; ".join(filter(None, [span(int(now - self._start)), over, ", ".join(outcomes)]))

    def _activity(self, label: str, until: datetime, detail: str = "") -> _Activity:
        left = (until - datetime.now(UTC)).total_seconds()
        return _Activity(label=label, detail=detail, began=self._elapsed(), seconds=max(left, 0.0))

    def _print(self, text: str, outcome: Outcome | None = None) -> None:
        width = width_of(sys.stderr)
        padded = f"{words(outcome):>{_OUTCOME if width >= WIDTH else 0}}  " if outcome else ""
        shown = shortened(escape(text), width - len(padded))
        style = _STYLES.get(outcome, "") if outcome else ""
        write_stderr((painted(padded, style) if self._colour else padded) + shown)
