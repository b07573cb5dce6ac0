"""examples/systemd: units that systemd accepts, a command that probekit accepts, and a service that sees little."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import click
import pytest
from command_lines import parse
from pipelines import EXAMPLES, broken

SERVICE, TIMER = (EXAMPLES / "systemd" / f"probekit.{kind}" for kind in ("service", "timer"))
EXPOSURE = 1.7  # of 10, by systemd's own scale; a service without settings has 9.6


def settings(file: Path) -> dict[str, str]:
    """The settings of a unit by their names; of one that is repeated, the first."""
    text = file.read_text("utf-8").replace("\\\n", " ")
    return dict(reversed(re.findall(r"^(\w+)=(.*)$", text, re.MULTILINE)))


def command(file: Path) -> list[str]:
    return shlex.split(settings(file)["ExecStart"])


def test_its_command_is_read_by_probekit_and_writes_where_it_may() -> None:
    program, *arguments = command(SERVICE)
    options = parse(arguments).params

    assert Path(program).name == "probekit"
    assert options["environment"] == "prod"
    assert all(options[name] for name in ("no_settle", "machine_only", "on_change"))
    ((form, file),) = options["reports"]
    assert (form, str(file.parent)) == ("prometheus", settings(SERVICE)["ReadWritePaths"])
    assert file.suffix == ".prom"  # node exporter reads no other file


@pytest.mark.parametrize(
    ("old", "new"), [("--no-settle", "--no-settled"), ("--on-change", "--on-changes"), ("--env", "-e")]
)
def test_a_wrong_option_is_found(tmp_path, old, new) -> None:
    with pytest.raises(click.UsageError):
        parse(command(broken(SERVICE, old, new, tmp_path))[1:])


def test_a_run_may_take_as_long_as_its_wait_and_its_deadline() -> None:
    wait = parse(command(SERVICE)[1:]).params["wait"]

    assert settings(SERVICE)["TimeoutStartSec"] == "45min"
    assert wait + 900 + 300 < 45 * 60  # the default deadline, and five minutes


def test_the_record_lies_in_the_folder_that_systemd_makes() -> None:
    """platformdirs: $XDG_STATE_HOME/probekit; systemd.unit(5): %S is /var/lib of a system unit."""
    assert settings(SERVICE)["Environment"] == "XDG_STATE_HOME=%S"
    assert (settings(SERVICE)["StateDirectory"], settings(SERVICE)["StateDirectoryMode"]) == ("probekit", "0700")


# ---------------------------------------------------------------- by systemd itself


def analyze(*arguments: str | Path) -> tuple[int, str]:
    """The exit code and the output of systemd-analyze."""
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not installed (make test-services installs it)")
    done = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout + done.stderr


def verified(service: Path, timer: Path, folder: Path) -> tuple[int, str]:
    """What systemd finds in two units; their program is one that this machine has."""
    units = folder / "units"
    units.mkdir()
    text = service.read_text("utf-8").replace("/usr/local/bin/probekit", "/bin/true")
    (units / "probekit.service").write_text(text, "utf-8")
    shutil.copy(timer, units / "probekit.timer")
    return analyze("verify", units / "probekit.service", units / "probekit.timer")


MISTAKES = [
    (SERVICE, "NoNewPrivileges=", "NoNewPrivilege="),
    (SERVICE, "Type=oneshot", "Type=oneshoot"),
    (SERVICE, "@system-service", "@system-services"),
    (SERVICE, "ProtectSystem=strict", "ProtectSystem=stricter"),
    (TIMER, "OnCalendar=", "OnCalender="),
    (TIMER, "*:0/5", "*:0/5min"),
]


@pytest.mark.services
def test_systemd_accepts_the_units_and_names_each_mistake_in_one(tmp_path) -> None:
    assert verified(SERVICE, TIMER, tmp_path) == (0, "")

    for number, (file, old, new) in enumerate(MISTAKES):
        folder = tmp_path / str(number)
        folder.mkdir()
        wrong = broken(file, old, new, folder)
        code, output = verified(*((wrong, TIMER) if file == SERVICE else (SERVICE, wrong)), folder)
        assert code or wrong.name in output, new


@pytest.mark.services
def test_systemd_reads_the_calendar_as_every_five_minutes() -> None:
    base = "--base-time=2026-11-23 10:01:00 UTC"

    code, output = analyze("calendar", "--iterations=2", base, settings(TIMER)["OnCalendar"])

    assert code == 0
    assert re.findall(r"2026-11-23 (\S+) UTC", output) == ["10:05:00", "10:10:00"]


@pytest.mark.services
def test_systemd_rates_the_service_as_confined_and_less_so_without_one_setting(tmp_path) -> None:
    threshold = f"--threshold={10 * EXPOSURE:.0f}"
    assert analyze("security", "--offline=true", threshold, SERVICE)[0] == 0

    for setting in ("CapabilityBoundingSet=\n", "User=probekit\n", "SystemCallFilter=@system-service\n"):
        wrong = broken(SERVICE, setting, "", tmp_path)
        assert analyze("security", "--offline=true", threshold, wrong)[0] != 0, setting
