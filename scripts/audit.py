"""Compare pinned requirements with the published advisories: exit 0 none applies, 1 some do, 3 they could not be had.

pip-audit leaves a package without advisories out and succeeds; here a package that was not audited is a failure.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

WITHIN = 300  # seconds
VULNERABLE, NOT_AUDITED = 1, 3


def main(requirements: str) -> int:
    """Audit a file of requirements with hashes, and print what applies to them."""
    command = [sys.executable, "-m", "pip_audit", "--requirement", requirements, "--require-hashes", "--disable-pip"]
    command += ["--format", "json", "--progress-spinner", "off"]
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=WITHIN, check=False)  # noqa: S603  # this interpreter's own module
        found = json.loads(result.stdout)
    except subprocess.TimeoutExpired:
        sys.stderr.write(f"NOT AUDITED: the advisories did not arrive within {WITHIN} s\n")
        return NOT_AUDITED
    except ValueError:
        last = result.stderr.strip().rpartition("\n")[2]
        sys.stderr.write(f"NOT AUDITED: the advisories could not be read: {last}\n")
        return NOT_AUDITED
    code, lines = outcome(found)
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return code


def outcome(found: Mapping[str, Any]) -> tuple[int, list[str]]:
    """Return the exit code and the lines to print for the document of pip-audit."""
    packages = found["dependencies"]
    skipped = [one["name"] for one in packages if "skip_reason" in one]
    lines = [
        f"{one['name']} {one['version']}: {advisory['id']}, fixed in {' or '.join(advisory['fix_versions']) or 'none'}"
        for one in packages
        for advisory in one.get("vulns", ())
    ]
    if lines:
        return VULNERABLE, lines
    if skipped or not packages:
        no_advisories = f"no advisories for {len(skipped)} of {len(packages)} packages: {', '.join(skipped)}"
        return NOT_AUDITED, [f"NOT AUDITED: {no_advisories}"]
    return 0, [f"no known vulnerability in {len(packages)} packages"]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
