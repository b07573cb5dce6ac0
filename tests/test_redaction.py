"""A revealed secret stands in no text again, in none of its forms, whole or cut short."""

from __future__ import annotations

import html
import json
import re
from base64 import b64encode, urlsafe_b64encode
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, given, strategies as st

from probekit.redaction import HIDDEN, Redactor

SECRET = 'Zq7/+x "ö" <9Wk>&\'~tail'


@pytest.fixture
def redactor() -> Redactor:
    known = Redactor()
    known.learn(SECRET)
    return known


def written(secret: str) -> dict[str, str]:
    """Every form in which other software writes a secret."""
    raw = secret.encode()
    return {
        "raw": secret,
        "a part of a URL": quote(secret, safe=""),
        "a path": quote(secret),
        "a form field": quote_plus(secret),
        "JSON in ASCII": json.dumps(secret)[1:-1],
        "JSON in Unicode": json.dumps(secret, ensure_ascii=False)[1:-1],
        "a part of a URL in lower case": re.sub("%..", lambda found: found[0].lower(), quote(secret, safe="")),
        "HTML": html.escape(secret),
        "HTML's text": html.escape(secret, quote=False),
        "HTML as others escape it": html.escape(secret).replace("&#x27;", "&#39;").replace("&quot;", "&#34;"),
        "Python's repr": repr(secret)[1:-1],
        "Python's repr of its bytes": repr(raw)[2:-1],
    }


@pytest.mark.parametrize("form", written(SECRET))
def test_a_secret_disappears_however_it_is_written(redactor, form) -> None:
    text = f"error: key={written(SECRET)[form]}; end"

    assert redactor.clean(text) == f"error: key={HIDDEN}; end"


@pytest.mark.parametrize("encode", [b64encode, urlsafe_b64encode])
@pytest.mark.parametrize("before", ["", "u", "us", "use", "user:"])
@pytest.mark.parametrize("after", ["", "!", "!!", "!!!"])
def test_a_secret_disappears_from_a_longer_base64_text(redactor, encode, before, after) -> None:
    around = encode(f"{before}{SECRET}{after}".encode()).decode()

    cleaned = redactor.clean(f"Basic {around}")

    left = cleaned.removeprefix("Basic ").replace(HIDDEN, "")
    assert HIDDEN in cleaned
    assert len(left) <= len(encode(f"{before}{after}".encode())) + 4  # at most the two characters it shares at each end


@pytest.mark.parametrize("length", range(8, len(SECRET)))
def test_the_beginning_of_a_secret_disappears_where_a_text_was_cut_short(redactor, length) -> None:
    assert redactor.clean(f"key={SECRET[:length]}") == f"key={HIDDEN}"
    assert redactor.clean(f"key={SECRET[:length]}… (cut)") == f"key={HIDDEN}… (cut)"


@pytest.mark.parametrize("form", written(SECRET))
def test_the_beginning_of_an_encoded_secret_disappears_too(redactor, form) -> None:
    assert redactor.clean(f"key={written(SECRET)[form][:-2]}") == f"key={HIDDEN}"


def test_the_beginning_of_a_base64_secret_disappears_too(redactor) -> None:
    cut = b64encode(SECRET.encode()).decode()[:12]

    assert redactor.clean(f"Basic {cut}...") == f"Basic {HIDDEN}..."


def test_fewer_than_eight_characters_of_a_secret_stay_readable(redactor) -> None:
    assert redactor.clean(f"key={SECRET[:7]}") == f"key={SECRET[:7]}"


def test_every_place_is_cleaned(redactor) -> None:
    assert redactor.clean(f"{SECRET}{SECRET} and {SECRET}") == f"{HIDDEN}{HIDDEN} and {HIDDEN}"


def test_other_text_stays(redactor) -> None:
    text = "503 from 10.0.0.7:443 after 231 ms: Zq7 is no secret, nor is tail\n\t€"

    assert redactor.clean(text) == text


def test_nothing_is_hidden_before_something_was_revealed() -> None:
    assert Redactor().clean(SECRET) == SECRET


def test_an_empty_secret_hides_nothing(redactor) -> None:
    redactor.learn("")

    assert redactor.clean("all of it") == "all of it"


def test_a_short_secret_disappears_as_it_is_written_only() -> None:
    redactor = Redactor()
    redactor.learn("pw1")

    assert redactor.clean("pw1 pw2 cHcx") == f"{HIDDEN} pw2 cHcx"


@pytest.mark.parametrize(
    ("secrets", "text", "cleaned"),
    [
        (["abcdefgh", "abcdefghijkl"], "abcdefghijkl abcdefgh", f"{HIDDEN} {HIDDEN}"),
        (["abcdefghijkl", "abcdefgh"], "abcdefghijkl abcdefgh", f"{HIDDEN} {HIDDEN}"),
        (["abcdefgh1234", "12345678wxyz"], "<abcdefgh12345678wxyz>", f"<{HIDDEN}>"),  # each is whole, they share 1234
        (["abcdefghijkl", "efgh"], "abcdefghijkl", HIDDEN),
        (["abababab12"], "ababababab12", HIDDEN),  # its beginning is found before it is
        (["first-secret", "secret"], "first-secret, secret", f"{HIDDEN}, {HIDDEN}"),  # the word that hides is one too
    ],
    ids=["the longer last", "the longer first", "overlapping", "one inside the other", "its own beginning", "the word"],
)
def test_secrets_that_overlap_leave_nothing_behind(secrets, text, cleaned) -> None:
    redactor = Redactor()
    for secret in secrets:
        redactor.learn(secret)

    assert redactor.clean(text) == cleaned


def test_a_secret_of_bytes_that_are_no_text_is_learnt_as_the_environment_gives_it() -> None:
    raw = b"caf\xe9-1234"
    secret = raw.decode("utf-8", "surrogateescape")
    redactor = Redactor()
    redactor.learn(secret)

    cleaned = redactor.clean(f"{secret} caf%E9-1234 {b64encode(raw).decode()}")

    assert cleaned == f"{HIDDEN} {HIDDEN} {HIDDEN}"


@given(secret=st.text(min_size=8), before=st.text(), after=st.text())
def test_no_form_of_any_secret_survives(secret, before, after) -> None:
    redactor = Redactor()
    redactor.learn(secret)

    for form in written(secret).values():
        assume(form not in before + HIDDEN + after)

        assert form not in redactor.clean(before + form + after)


@given(secret=st.binary(min_size=8), before=st.binary(), after=st.binary())
def test_no_base64_form_of_any_secret_survives(secret, before, after) -> None:
    redactor = Redactor()
    redactor.learn(secret.decode("utf-8", "surrogateescape"))

    for encode in (b64encode, urlsafe_b64encode):
        around = encode(before + secret + after).decode()
        first = -(-len(before) * 8 // 6)  # characters that hold a bit of what stands before
        last = (len(before) + len(secret)) * 8 // 6  # characters that hold no bit of what follows

        cleaned = redactor.clean(around)

        assert around[first:last] not in cleaned


@given(
    secrets=st.lists(st.text(alphabet="ab1/", min_size=8, max_size=12), min_size=1, max_size=4), text=st.text("ab1/")
)
def test_no_eight_characters_of_a_beginning_survive_among_many_secrets(secrets, text) -> None:
    redactor = Redactor()
    for secret in secrets:
        redactor.learn(secret)

    cleaned = redactor.clean(text + "".join(secrets))

    assert not any(secret[:8] in cleaned for secret in secrets)


@pytest.mark.parametrize(
    "url", ["postgresql://probekit:s3cret-w%40rd@db.test:5432/shop", "redis://probekit:s3cret-w%40rd@cache.test/0"]
)
def test_a_url_is_known_by_its_password_and_leaves_ordinary_words_alone(url) -> None:
    redactor = Redactor()
    redactor.learn(url)

    assert "s3cret" not in redactor.clean(f"no connection with {url}: s3cret-w@rd, s3cret-w%40rd, s3cret-w (cut)")
    assert (
        redactor.clean("postgresql, redis:// and probekit are words") == "postgresql, redis:// and probekit are words"
    )
