"""The built-in checklist adds up and its ids are public; a user's own is told every mistake with its line."""

from __future__ import annotations

import tomllib
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from probekit import checklist
from probekit.checklist import built_in, load
from probekit.model.checklist import Deadline, Severity
from probekit.model.limit import parse_limit
from probekit.toml_file import ConfigError

DATA = Path(__file__).parents[1] / "data"
SMALL = (DATA / "checklist.toml").read_text("utf-8")
MISTAKES = tomllib.loads((DATA / "checklist_mistakes.toml").read_text("utf-8"))["mistake"]


@pytest.fixture(scope="module")
def softfactory() -> checklist.Checklist:
    return load("softfactory")


@pytest.fixture
def problems(tmp_path):
    """What is wrong with a checklist of this text, its path shortened to its name."""

    def of(text: str) -> list[str]:
        path = tmp_path / "checklist.toml"
        path.write_text(text, "utf-8")
        with pytest.raises(ConfigError) as caught:
            load(path)
        return [str(problem).replace(f"{tmp_path}/", "") for problem in caught.value.problems]

    return of


# ---------------------------------------------------------------- the built-in one


def test_it_is_the_only_one_built_in() -> None:
    assert built_in() == ("softfactory",)


def test_it_has_the_documents_203_items(softfactory) -> None:
    assert len(softfactory.items) == 203
    assert Counter(item.severity for item in softfactory.items) == {
        Severity.CRITICAL: 36,
        Severity.HIGH: 78,
        Severity.MEDIUM: 53,
        Severity.LOW: 36,
    }


def test_180_items_are_answered_by_60_probes_and_23_by_people(softfactory) -> None:
    by_probe = [item for item in softfactory.items if item.probe]
    by_people = [item for item in softfactory.items if item.signoff_rule == "required"]

    assert (len(by_probe), len(by_people), len(softfactory.probes)) == (180, 23, 60)
    assert len({item.id for item in (*by_probe, *by_people)}) == 203
    assert {item.probe for item in by_probe} == set(softfactory.probes)


def test_its_ids_are_frozen(softfactory) -> None:
    """Configurations, waivers and signatures name them: an id is never renamed, removed or given to another item."""
    frozen = (DATA / "item_ids.txt").read_text("utf-8").splitlines()

    ids = [item.id for item in softfactory.items]

    assert sorted(ids) == frozen
    assert len(set(ids)) == len(ids)


def test_its_items_stand_in_the_documents_order(softfactory) -> None:
    sections = list(dict.fromkeys(item.section for item in softfactory.items))

    assert sections == list(softfactory.sections)


def test_every_limit_and_band_is_measured_by_its_items_probe(softfactory) -> None:
    asked = [
        (item.probe, limit)
        for item in softfactory.items
        for limit in (*item.expect, *(band.when for band in item.bands), *deadlines(item))
    ]

    units = [softfactory.probes[probe].metrics[limit.metric] for probe, limit in asked]

    assert [limit.unit for _, limit in asked if limit.of == "value"] == [
        unit for unit, (_, limit) in zip(units, asked, strict=True) if limit.of == "value"
    ]


def deadlines(item):
    """The limits at which a deadline of the item rolls back."""
    found = [band.deadline for band in item.bands] + [item.matrix_row.deadline if item.matrix_row else None]
    return [one.then for one in found if one and not isinstance(one.then, str)]


def test_every_item_can_be_answered(softfactory) -> None:
    assert [item.id for item in softfactory.items if bool(item.probe) != bool(item.expect)] == []
    assert [item.id for item in softfactory.items if not item.probe and item.signoff_rule != "required"] == []
    assert [item.id for item in softfactory.items if item.holds_if_pending and item.signoff_rule != "required"] == []


def test_a_rollback_comes_from_three_rows_only(softfactory) -> None:
    orders = [row.id for row in softfactory.rows if row.action == "rollback"]

    assert orders == ["api-down", "data-loss", "auth-broken"]
    assert {row.severity for row in softfactory.rows if row.action == "rollback"} == {Severity.CRITICAL}


def test_a_band_keeps_its_deadline(softfactory) -> None:
    (item,) = softfactory.select("deploy.performance.p95-latency")
    (high,) = [band for band in item.bands if band.severity is Severity.HIGH]

    assert high.deadline == Deadline(minutes=10, then=parse_limit("p95 > 4000 ms"))
    assert item.matrix_row is not None
    assert item.matrix_row.deadline == high.deadline


def test_a_row_without_a_time_has_no_deadline_and_the_checklists_own_stands_in(softfactory) -> None:
    rows = {row.id: row.deadline for row in softfactory.rows}

    assert rows["api-down"] is None
    assert rows["high-error-rate"] == Deadline(minutes=5, then="rollback")
    assert rows["missing-feature"] == Deadline(minutes=720, then="escalate")
    assert softfactory.escalate_after == Deadline(minutes=10)
    assert {item.escalate_after for item in softfactory.items} == {softfactory.escalate_after}


@pytest.mark.parametrize(
    ("prefix", "count"),
    [
        ("deploy.services.health-endpoint", 1),
        ("pre.security", 14),
        ("pre", 75),
        ("deploy.services.health", 0),  # half a word
        ("", 0),
        ("nothing", 0),
    ],
)
def test_items_are_chosen_by_whole_words(softfactory, prefix, count) -> None:
    assert len(softfactory.select(prefix)) == count


# ---------------------------------------------------------------- a user's own


def test_a_checklist_of_ones_own_is_read_from_a_path_beside_the_configuration(tmp_path, monkeypatch) -> None:
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists/mine.toml").write_text(SMALL, "utf-8")
    monkeypatch.chdir("/")

    small = load("lists/mine.toml", relative_to=tmp_path)

    assert (small.name, len(small.items)) == ("small", 3)


def test_a_file_that_changed_is_read_again(tmp_path) -> None:
    """The built-in checklist alone is kept in memory: a process that stays may see a new file."""
    file = tmp_path / "mine.toml"
    names = []
    for name in ("small", "other"):
        file.write_text(SMALL.replace('name = "small"', f'name = "{name}"'), "utf-8")
        names.append(load(str(file)).name)

    assert names == ["small", "other"]


def test_it_is_resolved(tmp_path) -> None:
    signed, health, certificate = load(DATA / "checklist.toml").items

    assert (signed.probe, signed.signoff_rule, signed.holds_if_pending) == (None, "required", True)
    assert health.expect == (parse_limit("up == 1"), parse_limit("first_byte < 200 ms"))
    assert [band.severity for band in health.bands] == [Severity.CRITICAL, Severity.HIGH]
    assert health.bands[1].deadline == Deadline(minutes=5, then=parse_limit("first_byte > 4000 ms"))
    assert health.matrix_row is not None
    assert (health.matrix_row.action, health.matrix_row.deadline) == ("rollback", None)
    assert (health.confirm, health.applies_if, health.criteria) == (3, "uses-cdn", ("health.up",))
    assert (certificate.confirm, certificate.matrix_row, certificate.signoff_rule) == (1, None, "fallback")
    assert {item.escalate_after for item in (signed, health, certificate)} == {Deadline(minutes=15)}


def test_a_checklist_may_be_a_folder_of_files(tmp_path) -> None:
    head, items = SMALL.split("[[item]]", 1)
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "checklist.toml").write_text(head, "utf-8")
    (folder / "items.toml").write_text(f"[[item]]{items}", "utf-8")
    (folder / "notes.txt").write_text("no part of it")

    assert load("mine", relative_to=tmp_path) == load(DATA / "checklist.toml")


def test_a_mistake_in_a_folder_is_told_with_its_own_file(tmp_path) -> None:
    head, items = SMALL.split("[[item]]", 1)
    (tmp_path / "checklist.toml").write_text(head, "utf-8")
    (tmp_path / "items.toml").write_text(f"# the items\n[[item]]{items}".replace("confirm = 3", "confirm = 9"), "utf-8")

    with pytest.raises(ConfigError) as caught:
        load(tmp_path)

    (problem,) = caught.value.problems
    line = (tmp_path / "items.toml").read_text().splitlines().index("confirm = 9") + 1
    assert (problem.file, problem.line) == (tmp_path / "items.toml", line)


def test_what_two_files_say_is_refused(tmp_path) -> None:
    (tmp_path / "a.toml").write_text(SMALL, "utf-8")
    (tmp_path / "b.toml").write_text('version = "2"\n[facts]\nuses-cdn = "Really?"\n', "utf-8")

    with pytest.raises(ConfigError) as caught:
        load(tmp_path)

    assert [(problem.file.name, problem.line, problem.key) for problem in caught.value.problems] == [
        ("b.toml", 1, "version"),
        ("b.toml", 3, "facts.uses-cdn"),
    ]


def test_a_folder_without_a_checklist_is_refused(tmp_path) -> None:
    with pytest.raises(ConfigError, match=r"the folder has no \.toml files, expected the files of a checklist"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("name", "hint"),
    [("softfactry", "did you mean 'softfactory'?"), ("SoftFactory", "did you mean 'softfactory'?"), ("mine", "")],
)
def test_an_unknown_name_is_told_with_the_built_in_ones(tmp_path, name, hint) -> None:
    with pytest.raises(ConfigError) as caught:
        load(name, relative_to=tmp_path)

    told = str(caught.value)
    assert name in told
    assert "softfactory" in told
    assert hint in told


@pytest.mark.parametrize("name", ["", ".", "..", "mine.toml", "../mine.toml", "a\0b.toml", "/"])
def test_a_path_that_leads_nowhere_is_a_config_error(tmp_path, name) -> None:
    with pytest.raises(ConfigError):
        load(name, relative_to=tmp_path / "deeper")


# ---------------------------------------------------------------- its mistakes


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake["name"])
def test_a_mistake_is_told_with_its_line_and_what_is_due(problems, mistake) -> None:
    assert SMALL.count(mistake["instead_of"]) == 1

    told = problems(SMALL.replace(mistake["instead_of"], mistake["write"]))

    assert told == mistake["told"]


def test_a_checklist_without_items_is_refused(problems) -> None:
    head = SMALL.split("[[item]]", 1)[0].split("[[signoff]]", 1)[0]

    told = problems(head)
    told_of_none = problems("item = []\n" + head)

    assert [line for line in told if "item: missing" in line]
    assert [line for line in told_of_none if line.startswith("checklist.toml:1: item: too short")]


def test_every_mistake_is_told_at_once_and_in_the_order_of_the_file(problems) -> None:
    broken = (
        SMALL.replace("count = 3", "count = 7")
        .replace('"up == 1"', '"upp == 1"')
        .replace('probe = "certificate"', 'probe = "certificat"')
    )

    told = problems(broken)

    assert [line.partition(" ")[0] for line in told] == [
        "checklist.toml:7:",
        "checklist.toml:101:",
        "checklist.toml:123:",
    ]


def test_a_badly_shaped_item_does_not_hide_what_is_wrong_with_another(problems) -> None:
    broken = SMALL.replace("confirm = 3", "confirm = 9").replace('probe = "certificate"', 'probe = "certificat"')

    told = problems(broken)

    assert [line.partition(" ")[0] for line in told] == ["checklist.toml:102:", "checklist.toml:123:"]


@pytest.mark.parametrize("line", [f"count = {'9' * 20}", f"count = 0x{'f' * 5000}", "count = inf", "count = nan"])
def test_no_number_is_too_large_to_be_told(problems, line) -> None:
    (told,) = problems(SMALL.replace("count = 3", line))

    assert told.startswith("checklist.toml:7: ")
    assert len(told) < 200


@given(data=st.binary() | st.text().map(str.encode))
@settings(max_examples=100)
def test_any_file_is_a_checklist_or_a_config_error(tmp_path_factory, data) -> None:
    path = tmp_path_factory.getbasetemp() / "any-checklist.toml"
    path.write_bytes(data)

    with pytest.raises(ConfigError):
        load(path)


WORDS = [
    "0",
    "-1",
    "inf",
    "nan",
    "''",
    "'x'",
    "true",
    "[]",
    "[1]",
    "['up == 1']",
    "{}",
    "{ a = 1 }",
    "2026-01-01",
    "1e400",
]


@given(data=st.data())
@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
def test_any_change_of_one_line_is_a_checklist_or_a_config_error(tmp_path_factory, data) -> None:
    lines = SMALL.splitlines()
    number = data.draw(st.sampled_from([at for at, line in enumerate(lines) if " = " in line]))
    key, _, _ = lines[number].partition(" = ")
    lines[number] = f"{key} = {data.draw(st.sampled_from(WORDS))}"
    path = tmp_path_factory.getbasetemp() / "changed-checklist.toml"
    path.write_text("\n".join(lines), "utf-8")

    try:
        read = load(path)
    except ConfigError as error:
        assert all(problem.found for problem in error.problems)  # noqa: PT017  # either is right
    else:
        assert len(read.items) == 3
