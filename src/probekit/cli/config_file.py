"""The path of the probes.toml that a command reads."""

from __future__ import annotations

from pathlib import Path


def default_config(config: Path | None) -> Path:
    """Return the named file, else $PROBEKIT_CONFIG, else ./probes.toml."""
    from probekit.config.settings import Variables  # noqa: PLC0415  # --help needs none

    return config or Variables().config or Path("probes.toml")
