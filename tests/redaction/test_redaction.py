"""A revealed secret stands in no text again, in none of its forms, whole or cut short."""

from __future__ import annotations

import html
import json
import re
import time
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, given, strategies as st

from probekit.redaction import HIDDEN, Redactor, is_own_word
from probekit.redaction.composite import parts_of

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
        (["1secret2", "[secret]9"], "1secret2, [secret]9", f"{HIDDEN}, {HIDDEN}"),  # the word that hides is one too
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
    assume(parts_of(secret).secrets and not is_own_word(secret))
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


TOKEN = "s3cr3tTOKENabcdef0123456789"


def twice(encode: Callable[[str], str]) -> Callable[[str], str]:
    return lambda text: encode(encode(text))


def percent(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode())


FORMS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "upper case": str.upper,
    "lower case": str.lower,
    "hex": lambda text: text.encode().hex(),
    "hex in upper case": lambda text: text.encode().hex().upper(),
    "hex with colons": lambda text: text.encode().hex(":"),
    "hex with spaces": lambda text: text.encode().hex(" "),
    "hex of upper case": lambda text: text.upper().encode().hex(),
    "percent": percent,
    "percent twice": lambda text: quote(percent(text)),
    "percent twice, every byte": twice(percent),
    "base64": lambda text: b64encode(text.encode()).decode(),
    "base64 after a byte": lambda text: b64encode(b"u" + text.encode()).decode(),
    "base64 after two bytes": lambda text: b64encode(b":u" + text.encode()).decode(),
    "base64 of lower case": lambda text: b64encode(text.lower().encode()).decode(),
    "base64 in a URL": lambda text: urlsafe_b64encode(text.encode()).decode().rstrip("="),
    "base64 in percent": lambda text: quote(b64encode(text.encode()).decode(), safe=""),
    "decimal entities": lambda text: "".join(f"&#{ord(character)};" for character in text),
    "long entities": lambda text: "".join(f"&#{ord(character):07};" for character in text),
    "hexadecimal entities": lambda text: "".join(f"&#x{ord(character):X};" for character in text),
    "entities in JSON": lambda text: json.dumps("".join(f"&#{ord(character)};" for character in text)),
    "JSON escapes": lambda text: "".join(f"\\u{ord(character):04x}" for character in text),
    "JSON in JSON": lambda text: "".join(f"\\\\u{ord(character):04x}" for character in text),
    "Python's escapes": lambda text: "".join(f"\\x{ord(character):02x}" for character in text),
    "octal escapes": lambda text: "".join(f"\\{ord(character):03o}" for character in text),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("secret", [TOKEN, "p@ss/w+rd=XYZ12345", "Pässwört-ÄÖÜ-1"])
def test_every_eight_characters_of_a_secret_disappear_in_every_form(form, secret) -> None:
    redactor, encode = Redactor(), FORMS[form]
    redactor.learn(secret)

    for start in range(len(secret) - 7):
        run = encode(secret[start : start + 8])

        cleaned = redactor.clean(f"unknown <{run}> here")

        assert (cleaned[:9], cleaned[-6:]) == ("unknown <", "> here")
        assert HIDDEN in cleaned
        assert len(cleaned) <= len("unknown <[secret]> here") + 6  # quotes of JSON, and what base64 shares and pads


@pytest.mark.parametrize("form", FORMS)
def test_text_around_a_secret_stays_in_every_form(form) -> None:
    redactor, encode = Redactor(), FORMS[form]
    redactor.learn(TOKEN)

    cleaned = redactor.clean(f"<{encode('other words')}> {encode(TOKEN)} <{encode('and others')}>")

    assert cleaned.startswith(f"<{encode('other words')}> ")
    assert cleaned.endswith(f" <{encode('and others')}>")


@pytest.mark.parametrize("letters", ["Straße-Übermut", "привет-мир-7"])
def test_letters_beyond_ascii_disappear_in_either_case(letters) -> None:
    redactor = Redactor()
    redactor.learn(letters)

    assert redactor.clean(f"<{letters.lower()}> <{letters.upper()}>") == f"<{HIDDEN}> <{HIDDEN}>"


@pytest.mark.parametrize("cut", [slice(1, None), slice(-12, None), slice(4, 15)])
def test_any_part_of_a_secret_disappears(cut) -> None:
    redactor = Redactor()
    redactor.learn(TOKEN)

    assert redactor.clean(f"key ****{TOKEN[cut]}!") == f"key ****{HIDDEN}!"


@pytest.mark.heavy
@pytest.mark.parametrize(
    "text",
    [
        "a" * (1 << 20),
        "%" * (1 << 20),
        "%25" * (1 << 18),
        "\\" * (1 << 20),
        "&" * (1 << 20),
        "&#" + "0" * (1 << 20),
        "ab:" * (1 << 18),
        "s3cr3tTO" * (1 << 17),
    ],
    ids=lambda text: text[:4],
)
def test_a_hostile_mebibyte_takes_one_pass_and_not_one_for_each_byte(text) -> None:
    redactor = Redactor()
    redactor.learn(TOKEN)

    cleaned = redactor.clean(text + TOKEN)

    assert cleaned.endswith(HIDDEN)
    assert "s3cr3tTO" not in cleaned


@pytest.mark.parametrize("code", [0xD800, 0xDC80, 0xDFFF])
def test_half_a_surrogate_stays_what_it_is(code) -> None:
    half = chr(code)
    redactor = Redactor()
    redactor.learn(TOKEN)

    assert redactor.clean(f"{half}{TOKEN}{half}") == f"{half}{HIDDEN}{half}"


@pytest.mark.parametrize(
    ("secret", "text"),
    [
        ("production1", "no answer in production"),
        ("connection-7", "connection refused by 127.0.0.1:80"),
        ("certificate", "certificate verification failed for db.test:5432"),
        ("postgres", "PostgreSQL at postgres:5432 answers"),
        ("redis", "redis://HOST:PORT is due"),
        ("prod", "read in production"),
        ("security-key-1", "security-headers are read"),
        ("failed_assertions_x", "failed_assertions"),
    ],
)
def test_a_word_of_probekit_s_own_stays_whatever_the_secret_is(secret, text) -> None:
    redactor = Redactor()
    redactor.learn(secret)
    redactor.allow(["production"])

    assert redactor.clean(text) == text


@pytest.mark.parametrize(
    ("secret", "text", "cleaned"),
    [
        ("production1", "production1 is no role of production", f"{HIDDEN} is no role of production"),
        ("production1", "xproduction", f"x{HIDDEN}"),
        ("connection-timeout-password", "connection-timeout", HIDDEN),  # words of our own, and none of them alone
        ("correct-horse-battery", "no user correct-horse", f"no user {HIDDEN}"),
        ("password!", "password! is no password", f"{HIDDEN} is no password"),
    ],
)
def test_a_secret_that_holds_an_own_word_disappears(secret, text, cleaned) -> None:
    redactor = Redactor()
    redactor.learn(secret)
    redactor.allow(["production"])

    assert redactor.clean(text) == cleaned


@pytest.mark.parametrize("name", ["eu-quux-17.shop.test", "/Quux/Zork-17", "v2.3.1-quuxzork17"])
def test_a_name_of_the_configuration_stays_where_a_secret_shares_a_part_of_it(name) -> None:
    redactor = Redactor()
    redactor.learn(f"x{name[1:-1]}y")
    redactor.allow([name])

    assert redactor.clean(f"no answer from {name.lower()}:443") == f"no answer from {name.lower()}:443"
    assert redactor.clean(f"no answer from {name[1:]}") == f"no answer from {HIDDEN}{name[-1]}"


def test_a_text_full_of_a_secret_is_cleaned_quickly_among_many_names(redactor) -> None:
    redactor.allow([f"deploy.services.item-{number}" for number in range(800)])

    began = time.process_time()
    cleaned = redactor.clean(" ".join([SECRET[:8]] * 1000))

    assert cleaned == " ".join([HIDDEN] * 1000)
    assert (
        time.process_time() - began < 10
    )  # it takes half a second; with a pattern for each name and place, half a minute


@pytest.mark.parametrize(
    ("secret", "text", "shown"),
    [
        ("x", *["the variable connection is environment of production, port x"] * 2),
        ("7", "port 7 of production", f"port {HIDDEN} of production"),
    ],
)
def test_a_secret_of_one_character_is_hidden_as_it_is_written_alone(secret, text, shown) -> None:
    """A word of eleven letters is also base64, whose bytes contain any single byte by chance."""
    redactor = Redactor()
    redactor.learn(secret)

    assert redactor.clean(text) == shown
