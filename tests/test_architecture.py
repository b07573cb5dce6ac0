"""ARCHITECTURE.md names the layers that are enforced, and modules that are there."""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "ARCHITECTURE.md").read_text("utf-8")


def test_its_layers_are_those_that_are_enforced() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    (layers,) = [contract["layers"] for contract in contracts if contract["type"] == "layers"]
    named = defaultdict(set)
    for number, packages in re.findall(r"^\| (\d+) \| ([^|]+) \|", PAGE, re.MULTILINE):
        named[int(number)] |= {name.rstrip("/") for name in re.findall(r"`([\w/]+)`", packages)}

    assert [named[number] for number in sorted(named, reverse=True)] == [set(layer.split(" | ")) for layer in layers]
    assert sorted(named) == list(range(1, len(layers) + 1))


def test_every_module_that_it_names_is_there() -> None:
    modules = {f"/{path.relative_to(ROOT)}" for path in ROOT.rglob("*.py") if ".venv" not in path.parts}
    named = set(re.findall(r"`([\w/]+\.py)`", PAGE))

    assert len(named) > 50
    assert [name for name in sorted(named) if not any(module.endswith(f"/{name}") for module in modules)] == []
