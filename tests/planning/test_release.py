"""The release of a run follows from command line, deployment mark and configuration; contradictions are named."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from probekit.model.history import Deployment, History
from probekit.model.plan import Versions
from probekit.model.record import Identity
from probekit.model.verdict import Stage
from probekit.planning.release import ReleaseRequest

MARK = datetime(2026, 11, 28, 10, 0, tzinfo=UTC)
COMMIT, OTHER = "a" * 40, "b" * 40
DIGEST, OTHER_DIGEST = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"
UNDER_WAY = Deployment(release="2", started=MARK, commit=COMMIT, images={"app": DIGEST}, previous="1")
OVER = replace(UNDER_WAY, finished=MARK + timedelta(minutes=5))
BACK = replace(OVER, rolled_back=MARK + timedelta(minutes=20))
PREVIOUS = Identity(release="1", commit=OTHER)


def request(deployment=None, *, stage=Stage.AFTER, version=None, configured=Identity(), previous=PREVIOUS):  # noqa: B008  # frozen
    history = History(deployment=deployment, previous=previous if deployment else Identity())
    return ReleaseRequest(version=version, stage=stage, configured=configured, history=history)


@pytest.mark.parametrize(
    ("asked", "identity"),
    [
        (request(), Identity()),
        (request(version="2"), Identity(release="2")),
        (request(configured=Identity(release="2", commit=COMMIT)), Identity(release="2", commit=COMMIT)),
        (request(OVER), OVER.identity),
        (request(UNDER_WAY, stage=Stage.BEFORE), UNDER_WAY.identity),
        (request(OVER, stage=Stage.BEFORE), Identity()),  # the next release is not named
        (request(OVER, stage=Stage.BEFORE, version="3"), Identity(release="3")),
        (
            request(OVER, stage=Stage.BEFORE, configured=Identity(release="3", commit=OTHER)),
            Identity(release="3", commit=OTHER),
        ),
        (
            request(OVER, configured=Identity(images={"web": DIGEST})),
            replace(OVER.identity, images={"app": DIGEST, "web": DIGEST}),
        ),
        (request(OVER, configured=Identity(release="3", images={"web": DIGEST})), OVER.identity),
        (
            request(
                OVER, configured=Identity(images={"web": DIGEST}, previous="0")
            ),  # the previous one is no fact of it
            replace(OVER.identity, images={"app": DIGEST, "web": DIGEST}),
        ),
        (request(OVER, version="3"), Identity(release="3")),  # no commit of another release
        (request(version="3", configured=Identity(release="2", commit=COMMIT)), Identity(release="3")),
        (request(OVER, configured=Identity(commit=OTHER)), OVER.identity),  # the mark is what was deployed
        (request(BACK, stage=Stage.ROLLED_BACK), PREVIOUS),
        (request(BACK, stage=Stage.ROLLED_BACK, version="0"), Identity(release="0")),
        (request(BACK, stage=Stage.ROLLED_BACK, previous=Identity()), Identity()),
        (
            request(BACK, stage=Stage.ROLLED_BACK, previous=Identity(), configured=Identity(release="2", previous="1")),
            Identity(release="1"),
        ),
    ],
)
def test_records_must_be_of_the_release_that_the_run_is_about(asked, identity) -> None:
    assert asked.identity == identity
    assert asked.subject == identity.release


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        (request(), []),
        (request(OVER), []),
        (request(OVER, version="2", configured=Identity(release="2", commit=COMMIT[:7], previous="1")), []),
        (request(OVER, configured=Identity(images={"web": OTHER_DIGEST})), []),
        (request(version="3", configured=Identity(release="2")), []),  # --release overrides the configuration
        (request(OVER, version="3"), ["the command line names release 3, the deployment on record has 2"]),
        (request(OVER, configured=Identity(release="3")), ["the configuration names release 3"]),
        (
            request(OVER, configured=Identity(commit=OTHER)),
            [f"names commit {OTHER}, the deployment on record has {COMMIT}"],
        ),
        (request(OVER, configured=Identity(images={"app": OTHER_DIGEST})), [f"names image app {OTHER_DIGEST}"]),
        (request(OVER, configured=Identity(previous="0")), ["the configuration names previous release 0"]),
        (request(OVER, configured=Identity(release="3", commit=OTHER)), ["release 3", f"commit {OTHER}"]),
        (request(UNDER_WAY, stage=Stage.BEFORE, version="3"), ["the command line names release 3"]),
        (request(OVER, stage=Stage.BEFORE, version="3"), []),  # the one on record is an earlier deployment
        (request(BACK, stage=Stage.ROLLED_BACK, version="1"), []),
        (request(BACK, stage=Stage.ROLLED_BACK, version="0"), ["names release 0, the release before"]),
    ],
)
def test_a_contradiction_is_named_with_both_sides(asked, named) -> None:
    found = list(asked.contradictions(()))

    assert len(found) == len(named)
    assert [one for one, part in zip(found, named, strict=True) if part not in one] == []


def test_before_the_next_deployment_a_rolled_back_release_is_not_expected() -> None:
    assert request(OVER, stage=Stage.BEFORE).versions(()).expected == ("2",)
    assert request(BACK, stage=Stage.BEFORE).versions(()).expected == ("1",)


def test_the_configured_version_is_expected_where_no_mark_names_another() -> None:
    configured = Identity(release="2", previous="1")

    assert request(configured=configured).versions(()).expected == ("2",)
    assert request(replace(OVER, release=None), configured=configured).versions(()).expected == ("2",)
    assert request(OVER, configured=Identity(release="3")).versions(()).expected == ("2",)
    assert request(version="4", configured=configured).versions(()).expected == ("4",)


def test_the_release_before_a_rolled_back_one_is_that_of_the_record() -> None:
    back = request(BACK, stage=Stage.ROLLED_BACK, configured=Identity(previous="0"))

    assert (back.subject, back.versions(()).expected) == ("1", ("1",))


def test_a_rollback_on_record_counts_at_every_stage() -> None:
    assert request(BACK).is_rolled_back
    assert request(stage=Stage.ROLLED_BACK).is_rolled_back
    assert not request(OVER).is_rolled_back


def test_a_configured_version_that_the_probe_does_not_expect_is_a_contradiction() -> None:
    guards = [SimpleNamespace(versions=Versions(expected=("2", "3")))]

    assert list(request(configured=Identity(release="3")).contradictions(guards)) == []
    assert list(request(configured=Identity(release="4")).contradictions(guards)) == [
        "release.version is 4, probe 'release' expects 2 or 3"
    ]
