"""The JSON report for other programs (report.schema.json)."""

from __future__ import annotations

from probekit.reports import Format
from probekit.reports.json.write import render

FORMAT = Format(name="json", help="other programs, and the next run with --since", render=render)
