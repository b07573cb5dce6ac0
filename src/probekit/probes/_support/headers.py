"""Parse the protective headers of an answer, each by its own grammar."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

Headers = Sequence[tuple[str, str]]
Policy = Mapping[str, tuple[str, ...]]  # directive to its values

INLINE: Final = "inline scripts"
ANY_HOST: Final = "scripts of any host"
DATA: Final = "scripts in data: URLs"
EVAL: Final = "strings that run as scripts"
OPENINGS: Final = {"'unsafe-inline'": INLINE, "*": ANY_HOST, "data:": DATA, "'unsafe-eval'": EVAL}  # by their source

_TOKEN: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # RFC 9110 section 5.6.2  # noqa: S105  # a grammar, no password
_WHOLE_TOKEN: Final = re.compile(_TOKEN)
_DIRECTIVE: Final = re.compile(
    rf'[ \t]*(?:(?P<name>{_TOKEN})[ \t]*(?:=[ \t]*(?P<value>{_TOKEN}|"(?:[^"\\]|\\.)*")[ \t]*)?)?(?:;|\Z)'
)
_NONCE_OR_HASH: Final = re.compile(r"'(?:nonce|sha256|sha384|sha512)-[a-z0-9+/_-]+={0,2}'")
_ANY_HOST: Final = re.compile(r"https?:|(?:https?://)?\*(?::(?:\*|\d+))?(?:/.*)?", re.IGNORECASE)
_REFERRER_POLICIES: Final = frozenset(
    (
        "no-referrer",
        "no-referrer-when-downgrade",
        "same-origin",
        "origin",
        "strict-origin",
        "origin-when-cross-origin",
        "strict-origin-when-cross-origin",
        "unsafe-url",
    )
)
_DIGITS: Final = 15  # most digits of a max-age: int() of 5,000 digits raises


def lines(headers: Headers, name: str) -> tuple[str, ...]:
    """Return every line of a header, in the order sent."""
    return tuple(value.strip(" \t") for key, value in headers if key.lower() == name)


def combined(headers: Headers, name: str) -> str | None:
    """Return all lines of a header as the one value that a browser reads; None where none was sent."""
    found = lines(headers, name)
    return ", ".join(found) if found else None


def members(headers: Headers, name: str) -> tuple[str, ...]:
    """Return every member of a list header in lower case, over all its lines."""
    value = combined(headers, name)
    return tuple(member.strip(" \t").lower() for member in value.split(",")) if value is not None else ()


def tokens(headers: Headers, name: str) -> tuple[str, ...] | None:
    """Return the tokens of a list header as written; None where a member is not a token."""
    value = combined(headers, name) or ""
    found = tuple(member for part in value.split(",") if (member := part.strip(" \t")))
    return found if all(_WHOLE_TOKEN.fullmatch(member) for member in found) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hsts:
    """A valid Strict-Transport-Security line (RFC 6797 section 6.1)."""

    max_age: int  # seconds
    include_subdomains: bool


def hsts(line: str) -> Hsts | None:
    """Parse one line; None where a browser would ignore it."""
    found: dict[str, str | None] = {}
    at = 0
    while at < len(line):
        directive = _DIRECTIVE.match(line, at)
        if directive is None:
            return None
        at = directive.end()
        if name := (directive["name"] or "").lower():
            if name in found:
                return None
            found[name] = directive["value"]
    digits = (found.get("max-age") or "").removeprefix('"').removesuffix('"')
    if not re.fullmatch(r"[0-9]+", digits) or found.get("includesubdomains"):
        return None
    digits = digits.lstrip("0") or "0"
    return Hsts(
        max_age=int(digits if len(digits) <= _DIGITS else "9" * _DIGITS),
        include_subdomains="includesubdomains" in found,
    )


def is_nosniff(headers: Headers) -> bool:
    """Return whether a browser will not guess the media type: the first member decides (Fetch, "determine nosniff")."""
    return members(headers, "x-content-type-options")[:1] == ("nosniff",)


def refuses_frames(headers: Headers) -> bool:
    """Return whether X-Frame-Options blocks other sites' frames (HTML section 7.6)."""
    values = set(members(headers, "x-frame-options"))
    if len(values) > 1:
        return bool(values & {"deny", "sameorigin", "allowall"})  # contradicting values mean deny
    return bool(values & {"deny", "sameorigin"})


def referrer_policy(headers: Headers) -> str | None:
    """Return the last known policy; None where there is none."""
    known = list(filter(is_referrer_policy, members(headers, "referrer-policy")))
    return known[-1] if known else None


def is_referrer_policy(word: str) -> bool:
    """Return whether a word in lower case is a policy (Referrer Policy section 3)."""
    return word in _REFERRER_POLICIES


def policies(headers: Headers) -> tuple[Policy, ...]:
    """Return every enforced content security policy, over all lines and commas."""
    texts = [text for line in lines(headers, "content-security-policy") for text in line.split(",")]
    return tuple(found for text in texts if (found := policy_of(text)))


def policy_of(text: str) -> Policy:
    """Parse one content security policy; the first of equal directives counts (CSP 3 section 2.2.1)."""
    found: dict[str, tuple[str, ...]] = {}
    for directive in text.split(";"):
        name, *values = directive.split() or [""]
        if name and directive.isascii():
            found.setdefault(name.lower(), tuple(values))
    return found


def open_to(found: Iterable[Policy]) -> frozenset[str]:
    """Return which injected scripts would run: those that every policy allows."""
    return frozenset(OPENINGS.values()).intersection(*map(_lets_through, found))


def _lets_through(policy: Policy) -> frozenset[str]:
    if "sandbox" in policy and "allow-scripts" not in map(str.lower, policy["sandbox"]):
        return frozenset()
    elements = _sources(policy, "script-src-elem", "script-src", "default-src")
    handlers = _sources(policy, "script-src-attr", "script-src", "default-src")
    found = {INLINE} if _allows_inline(elements) or _allows_inline(handlers) else set()
    found |= {EVAL} if "'unsafe-eval'" in _sources(policy, "script-src", "default-src") else set()  # section 4.4
    if "'strict-dynamic'" not in elements:  # otherwise hosts and schemes are ignored
        found |= {ANY_HOST} if any(map(is_any_host, elements)) else set()
        found |= {DATA} if "data:" in elements else set()
    return frozenset(found)


_UNLIMITED: Final = tuple(OPENINGS)


def _sources(policy: Policy, *names: str) -> tuple[str, ...]:
    """Return the list of the first of these directives that the policy has; without any, everything is allowed."""
    return next((tuple(map(str.lower, policy[name])) for name in names if name in policy), _UNLIMITED)


def _allows_inline(sources: Sequence[str]) -> bool:
    """Return whether inline scripts run: a nonce, a hash or 'strict-dynamic' disables them (CSP 3 section 6.7.3.2)."""
    neutral = "'strict-dynamic'" in sources or any(map(_NONCE_OR_HASH.fullmatch, sources))
    return "'unsafe-inline'" in sources and not neutral


def is_any_host(source: str) -> bool:
    """Return whether a source expression matches every host."""
    return bool(_ANY_HOST.fullmatch(source))


def names_a_version(server: str) -> bool:
    """Return whether a Server value holds a version: `nginx/1.25`, `Apache (OpenSSL 3.0.2)`."""
    without_comments = re.sub(r"\([^()]*\)", "", server)  # a comment may name a node: ECS (dcb/7F83)
    return bool(re.search(r"/[vV]?[0-9]", without_comments) or re.search(r"[0-9]\.[0-9]", server))
