"""Run the tests that need programs of the system, which this script installs from Debian and from npm.

Exit code 0: every test of REQUIRED passed. A test that was skipped, or that was not found, counts as failed.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.etree import ElementTree as ET

PACKAGES: Mapping[str, str] = {  # of Debian: a program of each, as a path or a name
    "chromium": "chromium",
    "default-jre-headless": "java",
    "monitoring-plugins-basic": "/usr/lib/nagios/plugins/check_http",
    "nodejs": "node",
    "npm": "npm",
    "prometheus-node-exporter": "prometheus-node-exporter",
    "prometheus": "promtool",
    "prometheus-pushgateway": "prometheus-pushgateway",
    "systemd": "systemd-analyze",
}
NPM: Mapping[str, str] = {  # package -> version; Debian 12 has Node.js 18
    "axe-core": "4.14.1",
    "vnu-jar": "26.9.27",
    "@microsoft/sarif-multitool-linux": "5.7.0",  # for the schema that it contains
    "markdownlint-cli2": "0.17.2",  # the last one that runs on it
}
NPM_FOLDER = Path(__file__).parents[1] / "build" / "npm"
REQUIRED = (
    "test_a_real_plugin_s_disk",
    "test_a_real_plugin_s_request",
    "test_a_real_plugin_that_is_refused_says_critical",
    "test_a_real_exporter_gives_what_psutil_gives",
    "test_every_report_follows_the_schema_of_sarif",
    "test_promtool_finds_nothing_wrong_with_the_metrics",
    "test_promtool_finds_nothing_wrong_with_the_document_s_rules",
    "test_a_real_prometheus_reads_every_series_with_its_value",
    "test_the_document_s_rules_alert_for_the_bad_environment_alone",
    "test_a_real_node_exporter_reads_the_files_of_several_environments",
    "test_a_real_pushgateway_takes_the_metrics_and_replaces_those_of_the_run_before",
    "test_markdownlint_finds_nothing",
    "test_vnu_finds_no_error_in_the_page",
    "test_axe_finds_no_violation_and_nothing_sticks_out",
    "test_the_page_asks_for_nothing_and_writes_no_message",
    "test_the_checklist_is_searched_and_filtered_by_keyboard",
    "test_without_a_script_the_page_is_whole",
    "test_a_screen_reader_is_not_read_the_marks_of_a_line_that_opens",
    "test_each_choice_shows_the_lines_it_names",
    "test_on_paper_every_line_shows_its_evidence",
    "test_every_object_follows_its_schema",
    "test_each_misspelt_key_is_found",
    "test_systemd_accepts_the_units_and_names_each_mistake_in_one",
    "test_systemd_rates_the_service_as_confined_and_less_so_without_one_setting",
    "test_systemd_reads_the_calendar_as_every_five_minutes",
)
APT_WITHIN = 300  # seconds, for each of apt-get's two commands
NPM_WITHIN = 300  # seconds
TESTS_WITHIN = 300  # seconds
USAGE = 2


def main() -> int:
    """Install what is missing, run the tests, compare their results with REQUIRED."""
    missing = [package for package, program in PACKAGES.items() if shutil.which(program) is None]
    problem = (install(missing) if missing else None) or install_npm(NPM_FOLDER)
    if problem:
        sys.stderr.write(f"test-services: {problem}\n")
        return USAGE
    with TemporaryDirectory() as folder:
        results = Path(folder) / "results.xml"
        command = [sys.executable, "-m", "pytest", "-m", "services", f"--junit-xml={results}"]
        try:
            code = subprocess.run(command, timeout=TESTS_WITHIN, check=False).returncode  # noqa: S603  # pytest
        except subprocess.TimeoutExpired:
            sys.stderr.write(f"test-services: the tests took more than {TESTS_WITHIN} s\n")
            return 1
        lost = not_passed(results.read_text("utf-8")) if results.is_file() else list(REQUIRED)
    if lost:
        sys.stderr.write(f"test-services: these tests must pass and did not: {', '.join(lost)}\n")
    return code or bool(lost)


def install(packages: Iterable[str]) -> str | None:
    """Install packages of Debian; return what prevents it, if anything does."""
    names = " ".join(packages)
    by_hand = f"install {names}, then run make test-services again"
    apt = shutil.which("apt-get")
    if apt is None:
        return f"there is no apt-get on this system: {by_hand}"
    sudo = shutil.which("sudo")
    if os.geteuid() != 0 and sudo is None:
        return f"not root, and sudo is not installed: {by_hand}"
    prefix = [] if os.geteuid() == 0 or sudo is None else [sudo, "--non-interactive", "--preserve-env=DEBIAN_FRONTEND"]
    for arguments in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", *names.split()]):
        try:
            subprocess.run(  # noqa: S603  # Debian's installer, with the names above
                [*prefix, apt, *arguments],
                env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
                stdin=subprocess.DEVNULL,
                timeout=APT_WITHIN,
                check=True,
            )
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            how = "timed out" if isinstance(error, subprocess.TimeoutExpired) else f"failed ({error.returncode})"
            return f"apt-get {arguments[0]} {how}: {by_hand}"
    return None


def install_npm(folder: Path) -> str | None:
    """Install the packages of NPM in a folder where one is missing; return what prevents it, if anything does.

    All are installed at once: with --no-save, npm removes what an earlier command installed. No script of a package
    runs.
    """
    if all(_npm_version(folder, name) == version for name, version in NPM.items()):
        return None
    packages = [f"{name}@{version}" for name, version in NPM.items()]
    by_hand = f"run npm install --prefix {folder} --no-save --ignore-scripts {' '.join(packages)}, then try again"
    npm = shutil.which("npm")
    if npm is None:
        return f"npm is not installed: install nodejs and npm, or {by_hand}"
    folder.mkdir(parents=True, exist_ok=True)
    options = ["--no-save", "--ignore-scripts", "--no-audit", "--no-fund"]
    try:
        subprocess.run(  # noqa: S603  # npm, with the names above
            [npm, "install", "--prefix", str(folder), *options, *packages],
            stdin=subprocess.DEVNULL,
            timeout=NPM_WITHIN,
            check=True,
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        how = "timed out" if isinstance(error, subprocess.TimeoutExpired) else f"failed ({error.returncode})"
        return f"npm install {how}: {by_hand}"
    return None


def _npm_version(folder: Path, package: str) -> str | None:
    """Return the version of a package in that folder; None where it is not there."""
    try:
        facts: dict[str, str] = json.loads((folder / "node_modules" / package / "package.json").read_text("utf-8"))
    except FileNotFoundError:
        return None
    return facts["version"]


def not_passed(results: str) -> list[str]:
    """Return the tests of REQUIRED that did not pass, by pytest's results in JUnit's XML."""
    cases = ET.fromstring(results).iter("testcase")  # noqa: S314  # pytest has just written it
    passed = {case.get("name") for case in cases if all(one.tag in {"properties", "system-out"} for one in case)}
    return [name for name in REQUIRED if name not in passed]


if __name__ == "__main__":
    sys.exit(main())
