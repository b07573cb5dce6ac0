"""Verify a deployment: measure it, hold it against a checklist, answer with one decision."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from probekit.version import __version__

if TYPE_CHECKING:
    from probekit.workflows.verify import verify

__all__ = ["__version__", "verify"]


def __getattr__(name: str) -> Any:  # noqa: ANN401  # the module's own attributes
    """Load the Python interface when it is first used: `--version` does not need it."""
    if name == "verify":
        from probekit.workflows.verify import verify  # noqa: PLC0415  # see above

        return verify
    message = f"module 'probekit' has no attribute '{name}'"
    raise AttributeError(message)
