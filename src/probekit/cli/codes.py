"""The exit codes and their meanings; 1 and 2 are a plugin's alone, because Python itself exits with them on errors."""

from __future__ import annotations

from typing import Final

USAGE: Final = 64
INTERNAL: Final = 70
LOCKED: Final = 75
CONFIG: Final = 78
INTERRUPTED: Final = 130

MEANINGS: Final = {
    0: ("go", "every required item in scope passed; of a partial run: nothing failed, no release decision"),
    10: ("investigate", "something failed or is not verified; INVESTIGATE NOW means: call someone"),
    11: ("hold", "a signature that the release must wait for is missing"),
    20: ("rollback", "a confirmed failure that calls for a rollback, soon after a deployment"),
    21: ("no go", "a failure of high or critical severity before the deployment"),
    30: ("undecided", "no control answered, the run was cut off, or nothing was measured"),
    USAGE: ("usage", "the command line is wrong, or names an unknown environment or item"),
    INTERNAL: ("internal", "probekit crashed, or the report of a go could not be written"),
    LOCKED: ("locked", "another run is verifying this environment"),
    CONFIG: ("config", "probes.toml or the checklist is wrong; the message names file, line and key"),
    129: ("interrupted", "SIGHUP, the terminal was closed; the report holds what was measured so far"),
    INTERRUPTED: ("interrupted", "SIGINT (Ctrl-C); the report holds what was measured so far"),
    143: ("interrupted", "SIGTERM; the report holds what was measured so far"),
}

OF_PLUGIN: Final = {  # with --exit nagios
    0: ("OK", "go; of a partial run: nothing failed"),
    1: ("WARNING", "hold; investigate, if there is time left and nothing of high or critical severity failed"),
    2: ("CRITICAL", "rollback; no go; investigate now; investigate, if an item of high or critical severity failed"),
    3: (
        "UNKNOWN",
        "undecided; any error: usage, configuration, locked, interrupted, a crash, a go that is not written",
    ),
}
