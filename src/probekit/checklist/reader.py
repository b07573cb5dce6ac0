"""Check a checklist: turn its document into items, or report every mistake in it."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import ValidationError

from probekit.checklist.rules import Rules
from probekit.checklist.shape import Document, WrittenItem
from probekit.checklist.source import Source
from probekit.model.checklist import Deadline, Item, Row
from probekit.toml_file import ConfigError, Mistake, mistakes


def read(source: Source) -> tuple[Document, tuple[Item, ...], tuple[Row, ...]]:
    """The document, its items and the rows of its matrix.

    Raises:
        ConfigError: every mistake in it, in the order of the file.
    """
    written, found = _shaped_items(source.document.get("item"))
    try:
        document = Document.model_validate(source.document)
    except ValidationError as error:
        found += mistakes(error, Document)
        raise _refused(source, found) from None  # its cause contains the written values
    found += Rules(document=document, items=written).mistakes()
    if found:
        raise _refused(source, found)
    rows = {row.id: row.row() for row in document.row}
    return document, tuple(_item(one, rows, document) for one in written.values()), tuple(rows.values())


def _shaped_items(tables: object) -> tuple[dict[int, WrittenItem], list[Mistake]]:
    """The valid items by number, and the mistakes in the others."""
    items: dict[int, WrittenItem] = {}
    found: list[Mistake] = []
    for number, table in enumerate(tables if isinstance(tables, list) else ()):
        try:
            items[number] = WrittenItem.model_validate(table)
        except ValidationError as error:
            found += mistakes(error, WrittenItem, ("item", number))
    return items, found


def _refused(source: Source, found: list[Mistake]) -> ConfigError:
    problems = [source.problem(mistake) for mistake in found]
    return ConfigError(sorted(problems, key=lambda problem: (problem.file, problem.line or 0)))


def _item(written: WrittenItem, rows: Mapping[str, Row], document: Document) -> Item:
    """The item with its references resolved."""
    requirement = document.probes[written.probe] if written.probe else None
    return Item(
        id=written.id,
        text=written.text,
        title=written.title,
        severity=written.severity,
        owner=written.owner,
        probe=written.probe,
        expect=written.expect,
        bands=tuple(band.band() for band in written.bands),
        confirm=written.confirm,
        applies_if=written.applies_if,
        criteria=written.criteria,
        matrix_row=rows[written.matrix_row] if written.matrix_row else None,
        signoff_rule=written.signoff_rule,
        holds_if_pending=written.holds_if_pending,
        not_in_document=written.not_in_document,
        sources=written.sources,
        escalate_after=Deadline(minutes=document.escalate_after),
        compares_baseline=_is_only_on(written, requirement.compares_baseline if requirement else None),
        is_go_of_phase=_is_only_on(written, requirement.go_of_phase if requirement else None),
        bound_to=written.bound_to,
        before=written.before,
        max_age=requirement.max_age if requirement else None,
    )


def _is_only_on(written: WrittenItem, metric: str | None) -> bool:
    """Whether its limits are on that metric only, which the judge derives."""
    return metric is not None and {limit.metric for limit in written.expect} == {metric}
