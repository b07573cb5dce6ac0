"""A probes.toml of a text: its configuration, or what is wrong with it."""

from __future__ import annotations

import pytest

from probekit.toml_file import ConfigError
from probekit.workflows.assembly import load_config


@pytest.fixture
def load_text(tmp_path):
    """The configuration of a probes.toml of this text."""

    def of(text: str):
        (tmp_path / "probes.toml").write_text(text, "utf-8")
        return load_config(tmp_path / "probes.toml")

    return of


@pytest.fixture
def told(load_text, tmp_path):
    """What is wrong with a probes.toml of this text."""

    def of(text: str) -> list[str]:
        with pytest.raises(ConfigError) as caught:
            load_text(text)
        return [str(one).replace(f"{tmp_path}/", "") for one in caught.value.problems]

    return of
