"""The checklist of docs/checklist.md is complete: it loads, and a verify by it decides."""

from __future__ import annotations

import asyncio
import json
import re
import tomllib
from pathlib import Path

import pytest

from probekit.checklist.shape import (
    BaselineRow,
    Blank,
    Criterion,
    Document,
    ProbeRequirement,
    Role,
    SignOff,
    Success,
    WrittenBand,
    WrittenItem,
    WrittenRow,
)
from probekit.config.loader import load
from probekit.model.verdict import Action
from probekit.reports.json.write import render
from probekit.workflows.options import RunOptions
from probekit.workflows.verify import execute_run

TEXT = (Path(__file__).parents[1] / "docs" / "checklist.md").read_text("utf-8")
CHECKLIST, PROBES = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / "shop.toml").write_text(CHECKLIST, "utf-8")
    (tmp_path / "probes.toml").write_text(PROBES, "utf-8")
    return tmp_path


def test_the_example_loads_and_its_items_add_up(folder) -> None:
    config = load(folder / "probes.toml")

    assert config.checklist.full_title == "Shop release checklist 1.0"
    assert [item.id for item in config.targets["prod"].items] == [
        item["id"] for item in tomllib.loads(CHECKLIST)["item"]
    ]


@pytest.mark.parametrize(("status", "action"), [("200 OK", Action.GO), ("503 No", Action.INVESTIGATE)])
async def test_a_verify_by_the_example_decides_and_names_its_title(folder, serve, http_reply, status, action) -> None:
    async def shop(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        writer.write(http_reply(status=status) if b" /checkout/health " in head else http_reply(b"", status="404 No"))
        await writer.drain()

    port, _ = await serve(act=shop)
    quick = f'"http://127.0.0.1:{port}"\nsettle = "0s"\nspread = "0s"\nattempt_interval = "0s"'
    (folder / "probes.toml").write_text(PROBES.replace('"https://shop.example.com"', quick), "utf-8")

    report = await execute_run(RunOptions(environment="prod", config=folder / "probes.toml"))

    document = json.loads(render(report))
    assert report.decision.action is action, report.decision.because
    assert document["run"]["checklist"] == "Shop release checklist 1.0"
    assert document["account"]["items"] == 3


@pytest.mark.parametrize(
    ("heading", "models"),
    [
        ("Top level", [Document]),
        ("`[probes.NAME]`", [ProbeRequirement]),
        ("`[[role]]`", [Role]),
        ("`[[item]]`", [WrittenItem]),
        ("`bands` of an item", [WrittenBand]),
        ("`[[row]]`", [WrittenRow]),
        ("`[success]` and `[[criterion]]`", [Success, Criterion]),
        ("`[[baseline]]`", [BaselineRow]),
        ("`[[signoff]]` and `[[field]]`", [SignOff, Blank]),
    ],
)
def test_every_table_has_a_section_with_its_keys_and_no_other(heading, models) -> None:
    section = TEXT.partition(f"### {heading}\n")[2].partition("\n##")[0]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in section.splitlines() if line.startswith("| `")]
    named = [(name, row[-1].startswith("required")) for row in rows for name in re.findall(r"`(\w+)`", row[-2])]
    fields = [(field.alias or name, field.is_required()) for one in models for name, field in one.model_fields.items()]

    assert sorted(name for name, _ in named) == sorted(name for name, _ in fields)
    if models != [Document]:  # its last row has several tables
        assert sorted(named) == sorted(fields)
