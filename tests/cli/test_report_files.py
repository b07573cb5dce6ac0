"""What a format appends to a file of the environment: never more than a warning where that does not work."""

from __future__ import annotations

from pathlib import Path

import pytest

from probekit import reports
from probekit.cli.report_files import Output, check_reports, written
from probekit.model.verdict import Outcome, Verdict
from probekit.reports import PLAIN
from probekit.workflows.options import RequestError

VARIABLE = "GITHUB_STEP_SUMMARY"


@pytest.fixture
def report(make, report_of):
    return report_of(Verdict(item=make.item("up == 1"), outcome=Outcome.FAIL, because="up 0"))


@pytest.fixture
def summary(report):
    (render,) = reports.load_format("github").appended.values()
    return render(report, PLAIN)


def test_the_summary_is_appended_once_and_the_annotations_are_printed(
    report, summary, tmp_path, monkeypatch, capfd
) -> None:
    (tmp_path / "summary").write_text("of the step\n")
    monkeypatch.setenv(VARIABLE, str(tmp_path / "summary"))

    assert written(report, Output(reports=(("github", None), ("github", tmp_path / "annotations"))))

    shown, errors = capfd.readouterr()
    assert (tmp_path / "summary").read_text() == f"of the step\n{summary}"
    assert shown == (tmp_path / "annotations").read_text()
    assert shown.startswith("::error title=")
    assert errors == ""


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, "GITHUB_STEP_SUMMARY is not set, so report format github has no file to append its summary to"),
        ("", "GITHUB_STEP_SUMMARY is not set, so report format github has no file to append its summary to"),
        ("absent/summary", "cannot be written: No such file or directory"),
        ("folder", "cannot be written: Is a directory"),
        ("link", "cannot be written: Too many levels of symbolic links"),
        ("full", "cannot be written: it would be larger than 1 MiB"),
    ],
)
def test_without_a_file_for_the_summary_there_is_a_warning_and_the_report(
    report, tmp_path, monkeypatch, capfd, value, message
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("victim")
    (tmp_path / "full").write_bytes(b"x" * (1 << 20))
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(VARIABLE, raising=False)
    if value is not None:
        monkeypatch.setenv(VARIABLE, value)

    assert written(report, Output(reports=(("github", None),)))

    shown, errors = capfd.readouterr()
    assert shown.startswith("::error title=")
    assert errors.startswith("probekit: ")
    assert errors.endswith(f"{message}\n")


def test_a_report_without_a_summary_says_nothing_of_one(report, monkeypatch, capfd) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)

    assert written(report, Output(reports=(("markdown", None),)))

    assert capfd.readouterr().err == ""


def test_a_report_that_is_not_printed_has_its_summary(report, summary, tmp_path, monkeypatch, capfd) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "summary"))

    assert written(report, Output(reports=(("github", None),)), silent=True)

    assert (tmp_path / "summary").read_text() == summary
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize("other", ["report", "./report", "inner/../report", "linked/report", "{folder}/report"])
def test_two_reports_to_one_file_are_refused_however_it_is_named(tmp_path, monkeypatch, other) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "inner").mkdir()
    (tmp_path / "linked").symlink_to(tmp_path)

    with pytest.raises(RequestError, match=f"two reports go to {tmp_path}/report: give each its own file"):
        check_reports([("json", Path("report")), ("junit", Path(other.format(folder=tmp_path)))])


def test_two_reports_to_two_files_are_accepted(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link").symlink_to("report")  # is replaced by its report
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "gone").mkdir()

    for one, other in (("report", "link"), ("report", "inner/report"), ("loop/a", "b"), ("/dev/stderr", "/dev/stderr")):
        check_reports([("json", Path(one)), ("junit", Path(other))])
    check_reports([("json", None), *(("junit", Path(f"report-{number}")) for number in range(5000))])

    monkeypatch.chdir("gone")
    (tmp_path / "gone").rmdir()
    check_reports([("json", Path("a")), ("junit", Path("b"))])
