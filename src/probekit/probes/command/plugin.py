"""Read the state and the performance data of a monitoring plugin (Monitoring Plugins Development Guidelines)."""

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
_UNKNOWN: Final = 3


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
            raise _unusable(f"the performance data has no label '{label}', only {labels}")
        if isinstance(number, Unreadable):
            raise _unusable(f"the performance data at '{label}' cannot be read: {number.why}")
        if not number.is_in(unit):
            due = f"a number in '{unit}'" if unit else "a number without a unit"
            hint = f'set unit = "{number.unit}"' if number.unit else "remove 'unit'"
            raise _unusable(
                f"'{label}' is {written(number.value)}{number.unit}, expected {due}: {hint} if the plugin is right"
            )
        return number


def of_plugin(config: CommandProbe, ended: Ended, clean: Clean) -> Readings:
    """Return the plugin's state and its performance data.

    Raises:
        ProbeFailedError: `bad_response`: it reports UNKNOWN, or ends without output, as a crash does too.
    """
    program, code = config.argv[0], ended.code
    text = ended.out.decode("utf-8", "replace")
    if code not in _STATES or not text.strip():
        silence = "" if text.strip() else " and no output"
        what = "reports UNKNOWN" if code == _UNKNOWN else f"ended with exit code {code}{silence}"
        raise ProbeFailedError(Reason.BAD_RESPONSE, f"{program} {what}: {tail(ended, clean)}")
    first = one_line(text.partition("\n")[0].partition("|")[0], clean)
    return Readings(
        f"{_STATES[code]}: {first[:TAIL]}",
        status=Exact(code),
        **readings(config.metrics, _PerformanceData(numbers(text))),
    )


def _share(label: str, number: Number) -> float:
    """The number as a share of its largest possible value."""
    if number.max is None or number.max <= 0:
        raise _unusable(
            f"'{label}' has no maximum above 0 in its unit (the fifth field of performance data): remove 'of'"
        )
    return number.value / number.max


def _unusable(detail: str) -> ProbeFailedError:
    return ProbeFailedError(Reason.BAD_RESPONSE, detail)
