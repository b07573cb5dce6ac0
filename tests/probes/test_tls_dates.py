"""The dates of every certificate of the validated path count, and of no other that a server sends."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tls_servers import NOW, issued, numbers, pem, quiet, serving, signed, tls_readings

from probekit.transport.trust import Trust


@pytest.fixture
def read(serve, tmp_path):
    """What the kind reads of a server with this context, where the root is believed."""

    async def read(context, root, **settings):
        file = tmp_path / "root.pem"
        file.write_bytes(pem(root))
        port, _ = await serve(act=quiet, tls=context)
        return await tls_readings(port, trust=Trust(ca=file), **settings)

    return read


def chain(*, name="app.test", leaf=(-1, 90), middle=(-1, 700), root=(-1, 900)):
    """A server's context and its root; each certificate is valid from the first to the second day from now."""
    root_pair = issued("a root", since=root[0], days=root[1])
    middle_pair = issued("a middle", since=middle[0], days=middle[1], signer=root_pair, ca=True)
    key, certificate = issued(name, since=leaf[0], days=leaf[1], signer=middle_pair)
    return serving(key, certificate, middle_pair[1]), root_pair[1]


PAST, FUTURE = (-9, -2), (2, 400)
EXPIRED, EARLY = (f"{NOW + timedelta(days=days):%Y-%m-%d %H:%M} UTC" for days in (-2, 2))


@pytest.mark.parametrize(
    ("dates", "told"),
    [
        ({"leaf": PAST}, f"refused: the leaf app.test expired on {EXPIRED}"),
        ({"leaf": FUTURE}, f"refused: the leaf app.test is not valid before {EARLY}"),
        ({"middle": PAST}, f"refused: the intermediate a-middle expired on {EXPIRED}"),
        ({"middle": FUTURE}, f"refused: the intermediate a-middle is not valid before {EARLY}"),
        ({"root": PAST}, f"refused: the root a-root expired on {EXPIRED}"),
        (
            {"leaf": PAST, "middle": FUTURE},
            f"refused: the leaf app.test expired on {EXPIRED}, the intermediate a-middle is not valid before {EARLY}",
        ),
    ],
    ids=["leaf past", "leaf to come", "middle past", "middle to come", "root past", "both"],  # no clock: xdist compares
)
async def test_a_path_is_trusted_only_within_the_dates_of_its_certificates(read, dates, told) -> None:
    readings = await read(*chain(**dates))

    found = numbers(readings)
    assert (found["trusted"], found["host_matches"], found["chain_complete"]) == (0, 1, 1)
    assert found["time_left"] == pytest.approx(-2, abs=0.001)
    assert readings.summary.endswith(told)


async def test_dates_count_by_the_clock_that_the_measurement_is_given(read) -> None:
    context, root = chain(leaf=(-1, 90))

    found = numbers(await read(context, root, now=NOW + timedelta(days=91)))

    assert (found["trusted"], found["time_left"]) == (0, pytest.approx(-1, abs=0.001))


async def test_another_host_s_expired_certificate_is_refused_for_both(read) -> None:
    readings = await read(*chain(name="other.test", leaf=PAST))

    found = numbers(readings)
    assert (found["trusted"], found["host_matches"]) == (0, 0)
    assert "refused: Hostname mismatch" in readings.summary
    assert f"the leaf other.test expired on {EXPIRED}" in readings.summary


async def test_an_expired_certificate_of_an_unknown_authority_is_refused_for_both(read) -> None:
    context, _ = chain(leaf=PAST)

    readings = await read(context, issued("another root", days=90)[1])

    assert (numbers(readings)["trusted"], numbers(readings)["host_matches"]) == (0, 1)
    assert "refused: unable to get local issuer certificate" in readings.summary
    assert readings.summary.endswith(f"the leaf app.test expired on {EXPIRED}")


async def test_the_least_time_left_on_the_validated_path_counts(read) -> None:
    readings = await read(*chain(leaf=(-1, 400), root=(-1, 60)))

    assert numbers(readings)["time_left"] == pytest.approx(60, abs=0.001)
    assert numbers(readings)["trusted"] == 1
    assert "a-root above it expires first" in readings.summary


@pytest.mark.parametrize(("name", "matches"), [("app.test", 1), ("other.test", 0)])
@pytest.mark.parametrize("order", [1, -1])
async def test_an_expired_certificate_beside_the_validated_path_is_no_matter(read, name, matches, order) -> None:
    root = issued("a root", days=900)
    key, middle = issued("a middle", days=700, signer=root, ca=True)
    expired = signed("a middle", key, root, days=-0.5)
    leaf_key, leaf = issued(name, days=90, signer=(key, middle))

    readings = await read(serving(leaf_key, leaf, *(expired, middle)[::order]), root[1])

    found = numbers(readings)
    assert found["time_left"] == pytest.approx(90, abs=0.001)
    assert (found["trusted"], found["host_matches"], found["chain_complete"]) == (1, matches, 1)
    assert "expired" not in readings.summary


async def test_an_old_cross_signed_root_is_no_matter(read) -> None:
    old = issued("an old root", since=-900, days=-3)
    key, root = issued("a root", days=900)
    crossed = signed("a root", key, old, since=-900, days=-3)
    middle = issued("a middle", days=700, signer=(key, root), ca=True)
    leaf_key, leaf = issued("app.test", days=90, signer=middle)

    readings = await read(serving(leaf_key, leaf, middle[1], crossed), root)

    found = numbers(readings)
    assert (found["trusted"], found["chain_complete"]) == (1, 1)
    assert found["time_left"] == pytest.approx(90, abs=0.001)
