"""Find the health path of a running system, and how to interpret its answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from probekit.model.measurement import ProbeFailedError, Reason
from probekit.probes import infrastructure_health
from probekit.probes._support.health_document import HealthDocument
from probekit.probes._support.health_reader import read_health
from probekit.probes._support.health_words import Health, is_page, said_by, said_leniently
from probekit.probes._support.json import keys, shown
from probekit.probes._support.own_word import doubted, implied
from probekit.probes._support.suggestion import Claim, suggestion
from probekit.probes.rate_limit import LIMITS
from probekit.transport.response import Answer
from probekit.workflows.discover.asking import Asker, path_within, refusal_of
from probekit.workflows.discover.claims import broken_by, strong_claims, weak_claims
from probekit.workflows.discover.found import Discovery, HealthFound, Standing
from probekit.workflows.discover.paths import BELOW, HEALTH, PARTS

_KEPT: Final = 2000  # characters of a body that is not understood
_CREDENTIALS: Final = (401, 403)
_SUCCESS: Final[Claim] = {"status": 200}  # passed by a healthy answer, where only an unhealthy one was seen
_REFUSED: Final = 4  # the class of statuses
_ABSENT: Final = (404, 405, 410)


async def find_health(found: Discovery, asker: Asker, root: Answer | None) -> None:
    """Find the health path: the named one, else the first understood one, else the best of the others."""
    candidates, named = list[HealthFound](), asker.named
    for path in _paths(named, found.page):
        candidate = await _candidate(found, asker, path)
        candidates += [candidate] if candidate else []
        is_enough = candidate is not None and candidate.standing is Standing.UNDERSTOOD
        if is_enough or (path == named and _serves(candidate, path in asker.failures)):
            break
    candidates += _unanswered(found, asker)
    found.health = min(candidates, key=lambda one: one.standing, default=None)
    await _take_root(found, asker, root)
    _note_others(found, asker, candidates)


def _serves(candidate: HealthFound | None, is_unanswered: bool) -> bool:  # noqa: FBT001  # what is known of the path
    """Return whether a named path is used: an HTML page or nothing cannot state health."""
    return candidate.standing < Standing.PAGE if candidate else is_unanswered


def _note_others(found: Discovery, asker: Asker, candidates: Sequence[HealthFound]) -> None:
    """Note other paths that are unhealthy or deny access."""
    others = [one for one in candidates if one is not found.health]
    for one in others:
        if not one.status:
            asker.note(f"{one.path}: {one.doubt}")
        elif one.standing is Standing.FAILING:
            asker.note(f"{one.path} answers {one.status}")
    if denied := [one.path for one in others if one.standing is Standing.DENIED]:
        asker.note(f"access is denied at {', '.join(denied)}")
    if found.health is None:
        found.refusal = next(iter(asker.locked), "")
    elif asker.named and found.health.path != asker.named:
        asker.note(f"{asker.named} has no readable health answer: {found.health.path} is used instead")


async def find_components(found: Discovery, asker: Asker) -> None:
    """Find the components in the answer of the health path, else of the usual paths."""
    own = (found.health.path,) if found.health else ()
    for path in dict.fromkeys((*own, *PARTS)):
        answer = await asker.read(path)
        if answer is None or not (answer.is_success or answer.is_server_error):
            continue
        try:
            listed = infrastructure_health.components(answer)
        except ProbeFailedError:
            continue
        if listed:
            found.infrastructure, found.components = path, listed
            return


def _paths(named: str | None, page: str | None) -> tuple[str, ...]:
    """Return the paths in their order: with a named path, paths of other applications of the host come last."""
    named_first = ((named,) if named else ()) + _below(named)
    return tuple(dict.fromkeys((*named_first, *HEALTH, *_below(page))))


def _below(path: str | None) -> tuple[str, ...]:
    """Return the most usual paths of an application below the first part of a path."""
    first = (path or "").split("/")[1:2]
    return tuple(f"/{first[0]}{below}" for below in BELOW) if first and first[0] else ()


async def _candidate(found: Discovery, asker: Asker, path: str) -> HealthFound | None:
    answer = await asker.read(path)
    found.tried.append(path)
    if answer is None:
        return None
    if answer.is_success or answer.is_server_error:
        found.limits = found.limits or tuple(name for name in LIMITS if answer.header(name))
    leads = _same_with_slash(asker.base_url, path, answer)
    if leads and leads not in found.tried:
        asker.note(f"{path} leads to {leads}")
        asker.named = leads if path == asker.named else asker.named
        return await _candidate(found, asker, leads)
    health = read_answer(path, answer)
    if health is None and path == asker.named and _refuses(answer):
        return _found(path, answer, Standing.FAILING, f"it answers {answer.status}")
    if health is None and answer.denies_access:
        asker.note(f"{path}: {answer.access_denied().detail}")
    return health


def _refuses(answer: Answer) -> bool:
    """Return whether it is an error of the path itself: MLServer answers 400 if "not ready", Vault 429 on "standby"."""
    is_error = answer.status // 100 == _REFUSED or answer.is_server_error
    return is_error and not answer.is_challenge and answer.status not in _ABSENT


def _same_with_slash(base_url: str, path: str, answer: Answer) -> str | None:
    """Return the path of a redirect that only adds or removes a slash at the end."""
    leads = path_within(base_url, path, answer.redirect) if answer.redirect else None
    return leads if leads and leads != path and leads.rstrip("/") == path.rstrip("/") else None


def _unanswered(found: Discovery, asker: Asker) -> Iterator[HealthFound]:
    """Yield paths without a readable answer, if the system answers other paths or the user named the path."""
    for path, failure in asker.failures.items():
        if path in found.tried and (path == asker.named or not asker.fell_silent):
            standing = Standing.UNREAD if failure.reason is Reason.BAD_RESPONSE else Standing.FAILING
            yield HealthFound(path=path, standing=standing, doubt=failure.detail, suggestion=_SUCCESS)


async def _take_root(found: Discovery, asker: Asker, root: Answer | None) -> None:
    """Use `/` if nothing better was found and it states its health: "Ollama is running"."""
    if root is None or found.page or (found.health and found.health.standing < Standing.WEAK):
        return
    health = read_answer("/", root)
    if health and health.standing is Standing.UNDERSTOOD and await asker.is_own(root):
        found.health = health


def read_answer(path: str, answer: Answer) -> HealthFound | None:
    """Return what an answer says about health; None if the path does not exist or redirects elsewhere."""
    if answer.denies_access:
        needs_credentials = answer.status in _CREDENTIALS or answer.is_sign_in
        standing = Standing.DENIED if needs_credentials and not answer.is_challenge else None
        return _found(path, answer, standing, refusal_of(answer)) if standing else None
    if answer.is_server_error:
        is_read = _is_dialect(_document_of(answer)) or bool(broken_by(answer))
        standing = Standing.UNDERSTOOD if is_read else Standing.FAILING
        found = _found(path, answer, standing, f"it answers {answer.status}")
        return replace(found, claims=strong_claims(answer)) if broken_by(answer) else found
    return _of_success(path, answer) if answer.is_success else None


def _of_success(path: str, answer: Answer) -> HealthFound:
    try:
        return _found(path, answer, Standing.UNDERSTOOD, "; ".join(implied(answer).failed))
    except ProbeFailedError as error:
        contradiction = error.detail
    said = _document_of(answer)
    if said.overall is Health.UNCLEAR:
        return _found(path, answer, Standing.UNDERSTOOD, f"its status is {shown(said.word)}")
    if unwell := doubted(answer):
        return replace(_found(path, answer, Standing.MIXED, contradiction), ignorable=unwell)
    if claims := strong_claims(answer):
        return replace(_found(path, answer, Standing.UNDERSTOOD, broken_by(answer)), claims=claims)
    if claims := weak_claims(answer):
        return replace(_found(path, answer, Standing.WEAK, ""), claims=claims)
    return _found(path, answer, Standing.PAGE if is_page(answer) else Standing.UNREAD, _why_unread(answer))


def _why_unread(answer: Answer) -> str:
    """Return why a body states no health."""
    try:
        document = said_by(answer)
        said = read_health(document)
    except ProbeFailedError as error:
        return error.detail
    if said.overall is not None and not said.is_known:
        return f"its status {shown(said.word)} is not a recognised health status"
    return f"it has no status; {keys(document)}"


def _found(path: str, answer: Answer, standing: Standing, doubt: str) -> HealthFound:
    is_unread = standing in (Standing.UNREAD, Standing.FAILING, Standing.PAGE)
    return HealthFound(
        path=path,
        standing=standing,
        status=answer.status,
        doubt=doubt,
        body=answer.text[:_KEPT] if is_unread else "",
        suggestion={} if not is_unread else _SUCCESS if standing is Standing.FAILING else suggestion(answer),
    )


def _document_of(answer: Answer) -> HealthDocument:
    """Return the health document of the body, whatever the status; an empty one if it cannot be read."""
    try:
        return read_health(said_leniently(answer))
    except ProbeFailedError:
        return HealthDocument()


def _is_dialect(said: HealthDocument) -> bool:
    return said.is_known or any(component.is_known for component in said.listed)
