"""One file per format: each renders a report as text, and none decides."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Final

from probekit.model.report import Report

Render = Callable[..., str]


def _lazily(name: str) -> Render:
    def render(report: Report, **wishes: object) -> str:
        text: str = import_module(f"{__name__}.{name}").render(report, **wishes)
        return text

    return render


FORMATS: Final[Mapping[str, Render]] = {"console": _lazily("console"), "json": _lazily("json.write")}
