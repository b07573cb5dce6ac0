"""A wrong command line says what is wrong and where the help is, within 80 columns."""

from __future__ import annotations

import pytest

from probekit import cli

VERIFY = "Try 'probekit verify --help' for help."


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["verifi"], "Try 'probekit --help' for help.\nError: unknown command 'verifi'; did you mean 'verify'?"),
        (["--nope"], "Try 'probekit --help' for help.\nError: No such option '--nope'."),
        (["verify", "--envv", "x"], f"{VERIFY}\nError: No such option '--envv'. Did you mean '--env'?"),
        (["verify", "--env"], f"{VERIFY}\nError: Option '--env' requires an argument."),
        (["verify", "--quick=1"], f"{VERIFY}\nError: Option '--quick' does not take a value."),
        (["verify", "--env", "x", "more"], f"{VERIFY}\nError: Got unexpected extra argument (more)"),
        (
            ["verify", "--env", "a", "--env", "b"],
            f"{VERIFY}\nError: option --env takes one value but was given 2 times",
        ),
        (["verify", "--stage", "x"], "Error: Invalid value for '--stage': 'x' is not one of 'before', 'after',"),
        (
            ["verify", "--report", "xml"],
            "Error: Invalid value for '--report': unknown format 'xml'; known formats: console",
        ),
        (["verify", "--wait", "5q"], "Error: Invalid value for '--wait': '5q' is not a duration: write a number and a"),
        (["verify", "--deployed", "x"], "Error: Invalid value for '--deployed': 'x' is not a time: write "),
        (
            ["verify", "--url", "https://x", "--ca", "/no"],
            "Error: Invalid value for '--ca': File '/no' does not exist.",
        ),
        (["verify", "--url", "https://x", "--header", "f"], "Error: Invalid value for '--header': expected NAME=ENV"),
        (["probe"], "Error: Missing argument 'PROBE[.INSTANCE]'."),
        (["list"], "Choose from: items, probes, kinds, envs"),
        (["list", "all"], "'all' is not one of 'items',"),
        (["explain"], "Error: Missing argument 'NAME'."),
        (["init"], "Error: Missing argument 'URL'."),
        (["baseline", "capture", "--windows", "0"], "'0' is not a whole number from 1 to 500"),
        (["baseline", "capture", "--windows", "x"], "'x' is not a whole number from 1 to 500"),
        (["baseline", "capture", "--windows", "9" * 5000], "is not a whole number from 1 to 500"),
        (["runs", "list", "--last", "1.5"], "'1.5' is not a whole number from 1 to 10000"),
        (["deployment", "start", "--at", "2026-01-01"], "'2026-01-01' has no time zone: write 2026-01-01Z for UTC"),
        (["demo", "--fault", "x"], "unknown fault 'x'; the faults are hang"),
        (["verify", "\x1b[2J"], "Error: Got unexpected extra argument (\\x1b[2J)"),
    ],
)
def test_a_wrong_command_line_says_what_is_wrong(arguments, told, capfd, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)

    code = cli.run(arguments)

    out, err = capfd.readouterr()
    assert (code, out) == (64, "")
    assert " ".join(told.split()) in " ".join(err.split())
    assert "--help' for help." in err
    assert [line for line in err.splitlines() if len(line) > 80 and "9" * 80 not in line] == []
    assert "\x1b" not in err
