"""Which probes.toml a command reads."""

from __future__ import annotations

from pathlib import Path


def default_config(config: Path | None) -> Path:
    """The named file, else PROBEKIT_CONFIG, else ./probes.toml."""
    from probekit.config.settings import Variables  # noqa: PLC0415  # --help needs none

    return config or Variables().config or Path("probes.toml")
