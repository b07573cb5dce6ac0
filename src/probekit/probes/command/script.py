"""Read the exit code of a program, and the JSON document that it may print."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from probekit.probe import Exact, Failure, ProbeFailedError, Readings, Reason
from probekit.probes._support.json import find, is_number, parse, shown
from probekit.probes._support.record import record_in
from probekit.probes.command.output import Clean, tail
from probekit.probes.command.program import Ended
from probekit.probes.command.reading import Reading, readings, unread
from probekit.probes.command.settings import CommandProbe, MetricSource

_LAST_OWN_CODE: Final = 125  # POSIX.1-2024 XCU 2.8.2: a shell's 126 and more: nothing ran, or a signal ended it


@dataclass(frozen=True, slots=True)
class _Document:
    """The numbers of one JSON document, each at a path of RFC 9535."""

    document: Any

    def value(self, source: MetricSource) -> float:
        return self.size(source.at)

    def size(self, at: str) -> float:
        value = find(at, self.document)
        if not isinstance(value, bool) and not is_number(value):
            raise ProbeFailedError(Reason.BAD_RESPONSE, f"{shown(value)} at {at}, expected a number")
        return float(value)


def of_script(config: CommandProbe, ended: Ended, clean: Clean) -> Readings:
    """Return the exit code, and the numbers of the JSON document that the program prints.

    Raises:
        ProbeFailedError: `bad_response`: by the exit code, a shell could not run the program, or a signal ended it.
    """
    summary = f"{config.argv[0]} ended with exit code {ended.code}"
    if ended.code not in config.expect_exit:
        summary += f": {tail(ended, clean)}"
    if ended.code > _LAST_OWN_CODE:
        raise ProbeFailedError(Reason.BAD_RESPONSE, summary)
    values = dict[str, Reading | Failure](dict.fromkeys(config.metrics, unread(summary)))
    found = Readings(summary, exit_code=Exact(ended.code))
    if config.metrics and ended.code in config.expect_exit:
        try:
            document = parse(ended.out)
        except ProbeFailedError as error:
            values = dict.fromkeys(config.metrics, unread(error.detail))
        else:
            values = readings(config.metrics, _Document(document))
            found.records = (record_in(document, config.record, config.argv[0]),)
    found.values.update(values)
    return found
