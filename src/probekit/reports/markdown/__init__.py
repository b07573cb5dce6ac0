"""Write the checklist of the user as Markdown for a ticket or a pull request: the decision first, then each line."""

from __future__ import annotations

from probekit.model.report import Report
from probekit.reports import PLAIN, Format, View
from probekit.reports.markdown.bounds import MOST
from probekit.reports.markdown.checklist import checklist
from probekit.reports.markdown.closing import closing
from probekit.reports.markdown.findings import findings
from probekit.reports.markdown.head import facts_table, head


def render(report: Report, _view: View = PLAIN) -> str:
    """Return GitHub Flavored Markdown of at most 65,000 characters, whatever the report holds."""
    before = [*head(report), *findings(report), *facts_table(report)]
    after = list(closing(report))
    used = sum(len(block) + 2 for block in (*before, *after))
    blocks = [*before, checklist(report, MOST - used), *after]
    return "\n\n".join(filter(None, blocks)) + "\n"


FORMAT = Format(name="markdown", help="a ticket or a pull request: the checklist with its ticks", render=render)
