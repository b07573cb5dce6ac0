"""Verify a deployment: measure it, judge it by a checklist, and return one decision."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from probekit.version import __version__

if TYPE_CHECKING:
    from probekit.model.report import Report
    from probekit.model.verdict import Action, Outcome, Stage, Verdict
    from probekit.planning.selection import Selection
    from probekit.toml_file import ConfigError
    from probekit.workflows.options import RequestError
    from probekit.workflows.python import averify, verify

__all__ = [
    "Action",
    "ConfigError",
    "Outcome",
    "Report",
    "RequestError",
    "Selection",
    "Stage",
    "Verdict",
    "__version__",
    "averify",
    "verify",
]
_MODULES: Final = {
    "Action": "model.verdict",
    "ConfigError": "toml_file",
    "Outcome": "model.verdict",
    "Report": "model.report",
    "RequestError": "workflows.options",
    "Selection": "planning.selection",
    "Stage": "model.verdict",
    "Verdict": "model.verdict",
    "averify": "workflows.python",
    "verify": "workflows.python",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401  # attributes of a module
    """Import a part of the Python interface at its first use, because `--version` does not need it."""
    if name in _MODULES:
        return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    message = f"module 'probekit' has no attribute '{name}'"
    raise AttributeError(message)
