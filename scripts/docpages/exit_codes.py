"""docs/exit-codes.md: what each exit code of probekit means."""

from __future__ import annotations

from docpages.markdown import GENERATED, table
from probekit.cli.codes import MEANINGS, OF_PLUGIN

_INTRODUCTION = """\
# Exit codes

One code answers for the whole run; the last line of the report names the decision and the code. probekit itself never
exits with 1 or 2, so that a crash of Python or a wrong flag of a shell is not taken for a decision.
Only `--exit nagios` uses them.
"""
_ORDER = """\
A pipeline goes on at 0 alone and rolls back at 20 alone. Every other code stops the pipeline and asks a person.
`probekit probe` exits with 0 where every limit is met, else with 10. `probekit plan` exits with 10 where a healthy
target could not get its go.
"""
_PLUGINS = """\
## Monitoring plugins

With `--exit nagios`, `verify`, `demo` and `runs judge` exit as a monitoring plugin does:
"""
_PLUGINS_ORDER = """\
A code of 0 is only ever that of a report whose decision is go or partial, and that was written. The report names the
decision with probekit's own code in either case.
"""


def page() -> str:
    """Return the page."""
    return f"{GENERATED}\n{_INTRODUCTION}\n{codes()}\n{_ORDER}\n{_PLUGINS}\n{_of_plugin()}\n{_PLUGINS_ORDER}"


def _of_plugin() -> str:
    """Return the table of a plugin's codes."""
    return table("code", "state", "when", rows=[(str(code), *meaning) for code, meaning in OF_PLUGIN.items()])


def codes() -> str:
    """Return the table of the codes."""
    return table("code", "decision", "when", rows=[(str(code), *meaning) for code, meaning in MEANINGS.items()])
