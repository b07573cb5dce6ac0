"""The report as one page that works from disk and from mail: to read, to sign and to keep."""

from __future__ import annotations

from probekit.model.report import Report
from probekit.reports import PLAIN, Format, View


def render(report: Report, view: View = PLAIN) -> str:
    """Return one HTML document with its style, its drawings and its script inside."""
    from probekit.reports.html.page import page  # noqa: PLC0415  # jinja2 takes 40 ms to import

    return page(report, view)


FORMAT = Format(name="html", help="one page to read, sign and keep", render=render)
