"""What a person at a terminal sees of a run: what runs, verdicts that stay, and a terminal that is left clean."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from threading import Event

import pytest
from builders import Make
from terminals import Terminal

from probekit.cli.display import Display
from probekit.cli.output import warn, write_stderr
from probekit.cli.progress import Progress, shown_progress
from probekit.log import configure, events
from probekit.model.verdict import Outcome, Verdict


@pytest.fixture
def terminal(monkeypatch):
    """A terminal of 80x24 and a stream that leads to it."""
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.delenv("LINES", raising=False)
    place = Terminal()
    with os.fdopen(place.terminal, "w") as stream:
        yield place, stream


class Time:
    now = 100.0


@pytest.fixture
def time():
    return Time()


@pytest.fixture
def progress(time):
    return Progress(colour=False, elapsed=lambda: time.now)


def ahead(seconds):
    return datetime.now(UTC) + timedelta(seconds=seconds)


def step(name="health", **fields):
    return Make().step(probe=name, **fields)


def test_each_running_probe_and_each_wait_has_a_line_with_its_time(progress, time) -> None:
    progress.started([step(), step("api"), step("tls")])
    progress.began(step(spread=15.0), ahead(40.2))
    progress.began(step("api", kind="latency", window=60.0, repeat=1), ahead(90))
    progress.waiting("the services to settle", ahead(30.2))
    time.now += 15

    assert progress.lines(79, 24) == [
        "  health (http)                       8 measurements        15 s, at most 40 s",
        "  api (latency)                       ━━━━━───────────────  15 s of 60 s",
        "  waiting for the services to settle  ━━━━━━━━━━──────────  15 s of 30 s",
        "15 s; 0 of 3 probes done",
    ]


def test_what_is_over_goes_and_what_takes_longer_than_it_should_stays_full(progress, time) -> None:
    progress.waiting("the controls to answer", ahead(1.2))
    time.now += 100
    assert progress.lines(79, 24)[0].endswith("━━━━━━━━━━━━━━━━━━━━  1 s of 1 s")

    progress.waited("the controls to answer")
    progress.began(step(), ahead(5))
    progress.ended(step())
    progress.ended(step())
    assert progress.lines(79, 24) == ["100 s"]


def test_lines_fit_the_terminal_and_many_are_counted(progress) -> None:
    for number in range(30):
        progress.began(step(f"a-probe-of-a-long-name-{number}", instance="x" * 40), ahead(5))

    for width, height in ((79, 23), (40, 10), (10, 3), (1, 1)):
        lines = progress.lines(width, height)
        assert len(lines) <= max(height, 3)
        assert max(map(len, lines)) <= max(width, 3)
    assert "  and 11 more" in progress.lines(79, 22)


def test_what_a_target_says_moves_no_cursor(progress, capsys) -> None:
    progress.waiting("release \x1b[2J\n", ahead(5))
    progress.judged(step(), [verdict("a\x1b[1A\nb")])

    assert not any("\x1b" in line or "\n" in line for line in progress.lines(79, 24))
    assert capsys.readouterr().err == "          fail  deploy.services.health-endpoint: a\\x1b[1A\\x0ab\n"


def verdict(because, outcome=Outcome.FAIL):
    return Verdict(item=Make().item(), outcome=outcome, because=because)


def test_verdicts_are_counted_and_each_is_one_line_of_the_terminal(progress, capsys, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    progress.started([step(), step("api")])
    progress.judged(step(), [verdict("x" * 200), verdict("well", Outcome.PASS), verdict("bad")])
    progress.extended(step("api", window=60.0), ahead(60))

    lines = capsys.readouterr().err.splitlines()
    assert lines[1] == "          pass  deploy.services.health-endpoint: well"
    assert lines[3] == "one more window of api: an item is undecided"
    assert max(map(len, lines)) == 80
    assert progress.lines(79, 24)[-1] == "0 s; 1 of 2 probes done; 2 fail, 1 pass"


def test_a_line_that_stays_is_as_wide_as_the_terminal_of_stderr_wherever_stdout_goes(progress, monkeypatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    for columns in (120, 50):
        place = Terminal(columns)
        with os.fdopen(place.terminal, "w") as stream:
            place.start()
            monkeypatch.setattr(sys, "stderr", stream)
            progress.judged(step(), [verdict("x" * 200)])
        (line,) = place.end()
        assert len(line) == columns
        assert "fail  deploy.services.health-endpoint: x" in line


def test_a_stream_that_shows_no_bars_gets_plain_signs(time) -> None:
    plain = Progress(colour=False, is_ascii=True, elapsed=lambda: time.now)
    plain.waiting("a", ahead(10.1))
    time.now += 5

    assert plain.lines(79, 24)[0] == "  waiting for a  ##########----------  5 s of 10 s"


@pytest.mark.parametrize(
    ("variables", "quiet"),
    [
        ({"TERM": "dumb"}, False),
        ({"TERM": ""}, False),
        ({"TERM": "xterm", "CI": "true"}, False),
        ({"TERM": "xterm"}, True),
    ],
)
def test_nothing_is_shown_where_lines_cannot_change(terminal, monkeypatch, variables, quiet) -> None:
    stream = terminal[1]
    for name, value in ({"CI": ""} | variables).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "stderr", stream)

    with shown_progress(quiet=quiet) as shown:
        assert shown is None
        assert sys.stderr is stream


def test_nothing_is_shown_in_a_pipe() -> None:
    script = "from probekit.cli.progress import shown_progress\nwith shown_progress() as shown: print(shown)"
    surroundings = os.environ | {"TERM": "xterm", "CI": ""}
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60, env=surroundings
    )
    assert (done.stdout, done.stderr) == ("None\n", "")


def drawn(calls: list[Event]):
    """Lines that change, and set the next event each time that they are drawn."""
    events, number = iter(calls), iter(range(10**6))

    def lines(_width, _height):
        if event := next(events, None):
            event.set()
        return [f"changing {next(number)}", "second"]

    return lines


def test_what_is_said_stays_above_the_lines_that_change_which_are_gone_at_the_end(terminal) -> None:
    place, stream = terminal
    place.start()
    calls = [Event() for _ in range(6)]

    with Display(stream, drawn(calls)):
        assert sys.stderr.isatty()
        write_stderr("first said")
        assert calls[2].wait(20)
        warn("a warning")
        sys.stderr.write("half a ")
        assert calls[5].wait(20)
        sys.stderr.write("line\nno end of line")
    stream.close()

    assert place.end() == ["first said", "probekit: a warning", "half a line", "no end of line"]
    assert "changing 2" in place.raw
    assert not place.hides_its_cursor


def test_the_cursor_is_visible_while_lines_change(terminal) -> None:
    place, stream = terminal
    place.start()
    calls = [Event() for _ in range(2)]

    with Display(stream, drawn(calls)):
        assert calls[1].wait(20)
        assert place.shows("changing 0")
        assert not place.hides_its_cursor
    stream.close()
    place.end()


def test_events_of_the_log_go_above_the_lines_that_change(terminal, monkeypatch) -> None:
    place, stream = terminal
    place.start()
    calls = [Event() for _ in range(4)]
    monkeypatch.setattr(sys, "stderr", stream)
    configure()

    with Display(stream, drawn(calls)):
        assert calls[0].wait(20)
        events().warning("store.locked", file="x")
        assert calls[3].wait(20)
    stream.close()

    shown = place.end()
    assert "store.locked" in shown[0]
    assert len(shown) == 1


def test_an_exception_leaves_the_terminal_clean(terminal) -> None:
    place, stream = terminal
    place.start()
    before, calls = sys.stderr, [Event()]

    def interrupted() -> None:
        with Display(stream, drawn(calls)):
            calls[0].wait(20)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    stream.close()

    assert place.end() == [""]
    assert sys.stderr is before
    assert not place.hides_its_cursor


def test_a_terminal_that_takes_nothing_holds_nobody_up(terminal) -> None:
    """As after Ctrl-S: what a run says is kept until the terminal goes on."""
    place, stream = terminal
    calls = [Event()]

    with Display(stream, drawn(calls)):
        for number in range(2000):
            write_stderr(f"line {number} {'x' * 60}")  # far more than a terminal's buffer holds
        assert calls[0].wait(20)
        place.start()
    stream.close()

    shown = place.end()
    assert [line.split()[1] for line in shown if line.startswith("line")] == [str(number) for number in range(2000)]


def test_a_terminal_that_went_away_ends_nothing() -> None:
    place = Terminal()
    stream = os.fdopen(place.terminal, "w")
    os.close(place.controller)

    with Display(stream, drawn([Event()])):
        write_stderr("nobody reads this")
    with suppress(OSError):  # what could not be written
        stream.close()


def test_a_mistake_of_the_drawing_loses_nothing_that_was_said(terminal, monkeypatch) -> None:
    place, stream = terminal
    place.start()
    monkeypatch.setattr("threading.excepthook", lambda _arguments: None)

    def broken(_width, _height):
        raise RuntimeError

    with Display(stream, broken):
        write_stderr("said")
    stream.close()

    assert "said" in place.end()
    assert not place.hides_its_cursor


def test_a_closed_stream_is_no_terminal(monkeypatch) -> None:
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stderr", closed)

    with shown_progress() as shown:
        assert shown is None
