"""What each exit code says; none is 1 or 2, which a crash or a mistyped flag of Python's own would give."""

from __future__ import annotations

from typing import Final

USAGE: Final = 64
INTERNAL: Final = 70
LOCKED: Final = 75
CONFIG: Final = 78
INTERRUPTED: Final = 130

MEANINGS: Final = {
    0: ("go", "every required item in scope passed; or partial: nothing bad in a narrowed run, no release decision"),
    10: ("investigate", "something failed or is not verified; 'now' means call somebody"),
    11: ("hold", "a signature that holds the release is missing"),
    20: ("rollback", "a confirmed failure whose row says so, soon after a deployment"),
    21: ("no go", "a grave failure before the deployment"),
    30: ("undecided", "no control answers, cut off, or nothing measured"),
    USAGE: ("usage", "wrong command line, unknown environment or item"),
    INTERNAL: ("internal", "a crash of probekit, or a report that could not be written where it would be a go"),
    LOCKED: ("locked", "another run verifies this environment"),
    CONFIG: ("config", "probes.toml or the checklist is wrong: file, line, key"),
    129: ("interrupted", "SIGHUP; the terminal is gone, and the report says what was measured so far"),
    INTERRUPTED: ("interrupted", "SIGINT; the report says what was measured so far"),
    143: ("interrupted", "SIGTERM; the same"),
}
