"""What a person at a terminal sees while a run goes on."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from datetime import datetime

import click

from probekit.cli.output import write_stderr
from probekit.engine.context import RunObserver
from probekit.model.plan import Step
from probekit.model.verdict import Outcome, Verdict
from probekit.text import escape, shortened

_COLOURS = {Outcome.PASS: "green", Outcome.FAIL: "red", Outcome.ERROR: "yellow", Outcome.INCONCLUSIVE: "yellow"}


class Progress(RunObserver):
    """A line on stderr for each thing that begins, and for each verdict as it falls."""

    def __init__(self, *, colour: bool) -> None:
        self._colour = colour

    def waiting(self, what: str, until: datetime) -> None:
        """The run waits for something, at most until then."""
        self._say(f"waiting for {what}, until {_clock(until)}")

    def began(self, step: Step[object], until: datetime) -> None:
        """A step runs, at the worst until then."""
        measurements = f", {step.repeat} measurements over {step.spread:g} s" if step.repeat > 1 else ""
        self._say(f"running {step.name} ({step.kind}{measurements}), at the latest until {_clock(until)}")

    def judged(self, step: Step[object], verdicts: Sequence[Verdict]) -> None:  # noqa: ARG002  # the flow's interface
        """A step is over, and what its items are for now."""
        for verdict in verdicts:
            self._say(f"{verdict.item.id}: {verdict.because}", word=verdict.outcome)

    def _say(self, text: str, word: Outcome | None = None) -> None:
        padded = f"{word.value:>14}  " if word else ""
        shown = shortened(escape(text), shutil.get_terminal_size().columns - len(padded))
        styled = click.style(padded, fg=_COLOURS.get(word)) if word and self._colour else padded
        write_stderr(styled + shown)


def _clock(moment: datetime) -> str:
    return f"{moment.astimezone():%H:%M:%S}"
