"""A monitoring plugin: its state and its performance data (Monitoring Plugins Development Guidelines)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from probekit.model.numbers import number as written
from probekit.probe import Exact, ProbeFailedError, Readings, Reason
from probekit.probes._support.json import shown
from probekit.probes.command.output import TAIL, Clean, one_line, tail
from probekit.probes.command.perfdata import Number, Unreadable, numbers
from probekit.probes.command.program import Ended
from probekit.probes.command.reading import readings
from probekit.probes.command.settings import CommandProbe, MetricSource

_STATES: Final = {0: "OK", 1: "WARNING", 2: "CRITICAL"}  # the guidelines, "Return Codes"
_UNKNOWN: Final = 3  # the same


@dataclass(frozen=True, slots=True)
class _PerformanceData:
    """The numbers of one output by their labels."""

    known: Mapping[str, Number | Unreadable]

    def value(self, source: MetricSource) -> float:
        number = self._number(source.at, source.unit)
        return _share(source.at, number) if source.of else number.value

    def size(self, at: str) -> float:
        return self._number(at, "").value

    def _number(self, label: str, unit: str) -> Number:
        number = self.known.get(label)
        if number is None:
            labels = ", ".join(map(shown, list(self.known)[:10])) or "none"
            raise _unusable(f"'{label}' is not among the labels of its performance data: {labels}")
        if isinstance(number, Unreadable):
            raise _unusable(f"'{label}' is among its performance data and cannot be read: {number.why}")
        if not number.is_in(unit):
            due = f"a number of unit '{unit}'" if unit else "a number without a unit"
            hint = f'set unit = "{number.unit}"' if number.unit else "leave 'unit' out"
            raise _unusable(
                f"{written(number.value)}{number.unit} at '{label}', where {due} is due: {hint}, if that is right"
            )
        return number


def of_plugin(config: CommandProbe, ended: Ended, clean: Clean) -> Readings:
    """Return its state and its performance data.

    Raises:
        ProbeFailedError: `bad_response`: it says UNKNOWN, or ends with a code and no word, as a crash does too.
    """
    program, code = config.argv[0], ended.code
    text = ended.out.decode("utf-8", "replace")
    if code not in _STATES or not text.strip():
        what = "says UNKNOWN" if code == _UNKNOWN else f"ended with {code}" + ("" if text.strip() else " and no output")
        raise ProbeFailedError(Reason.BAD_RESPONSE, f"{program} {what}: {tail(ended, clean)}")
    first = one_line(text.partition("\n")[0].partition("|")[0], clean)
    return Readings(
        f"{_STATES[code]}: {first[:TAIL]}",
        status=Exact(code),
        **readings(config.metrics, _PerformanceData(numbers(text))),
    )


def _share(label: str, number: Number) -> float:
    """The number as a part of the largest one that it can be."""
    if number.max is None or number.max <= 0:
        raise _unusable(f"'{label}' has no largest value above 0, the fifth field of performance data, in its own unit")
    return number.value / number.max


def _unusable(detail: str) -> ProbeFailedError:
    return ProbeFailedError(Reason.BAD_RESPONSE, detail)
