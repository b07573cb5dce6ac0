"""What did the user configure? From probes.toml and the PROBEKIT_ variables to a Config; every mistake at once."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from probekit import checklist as checklists, probes
from probekit.checklist import Checklist
from probekit.model.checklist import Item
from probekit.model.limit import Limit, parse_limit
from probekit.probe import Duration, ProbeConfig, Secret, Settings
from probekit.stats import BLOCKS_TO_PASS
from probekit.toml_file import ConfigError, FileProblem, line_of, nearest, parse, problems, text_of
from probekit.transport.resolver import Family
from probekit.transport.urls import has_host

_MODEST: Final = 300  # requests of one sampling where no load is allowed


class Variables(BaseSettings):
    """PROBEKIT_CONFIG, PROBEKIT_DEPLOYED and PROBEKIT_RELEASE, from the environment or the .env beside probes.toml."""

    model_config = SettingsConfigDict(env_prefix="PROBEKIT_", extra="ignore")

    config: Path | None = None
    deployed: str | None = None
    release: str | None = None


ADDRESS_PATTERN = r"^https?://[^\s/@?#]+(/[^\s?#]*)?$"


class Throttle(Settings):
    """How fast one host may be asked."""

    requests: int = Field(ge=1, le=10_000, description="requests in each period")
    per: Duration = Field(gt=0, description="the period")


class Kept(Settings):
    """A file that holds a secret, written as every other reference is."""

    file: Path = Field(description="its path")


def _path(value: object) -> object:
    """The path of `{ file = "PATH" }`."""
    return value["file"] if isinstance(value, Mapping) and value.keys() == {"file"} else value


class Connect(Settings):
    """How the target is reached."""

    ca: Path | None = Field(None, description="CA certificates in PEM, believed beside the system's store")
    resolve: dict[str, str] = Field(
        {}, description='"host:port" to the address that is used instead of the resolver\'s'
    )
    headers: dict[str, Secret] = Field({}, description="headers sent to base_url's own origin, by reference")
    family: Family = Field("any", description="of the addresses that are asked: any, ipv4 or ipv6")
    proxy: Secret | None = Field(
        None, description="where http://USER:PASSWORD@HOST:PORT is kept, the proxy for HTTP; else none is used"
    )
    client_cert: Annotated[Path | None, BeforeValidator(_path, json_schema_input_type=Path | Kept | None)] = Field(
        None, description="certificate and key in one PEM file, for HTTP servers that ask for one"
    )

    @field_validator("resolve")
    @classmethod
    def _are_addresses(cls, fixed: dict[str, str]) -> dict[str, str]:
        for name, address in fixed.items():
            host, _, port = name.rpartition(":")
            if not (host and port.isascii() and port.isdigit()):
                message = f'"{name}" is no "host:port"'
                raise ValueError(message)
            if not _is_address(address):
                message = f'what stands for "{name}" is no IP address'
                raise ValueError(message)
        return {name.lower(): address for name, address in fixed.items()}


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


class Change(Settings):
    """Other limits than the checklist's for one item."""

    expect: list[str] = Field(min_length=1, description="the limits that hold instead")
    why: str = Field(min_length=3, description="the reason, shown in every report")


class Environment(Settings):
    """One target: where it is, what it is held to, how it is asked."""

    base_url: str = Field(pattern=ADDRESS_PATTERN, description="scheme, host, and a prefix where there is one")
    scope: list[str] = Field(min_length=1, description="items this environment is held to: ids or their beginnings")
    control: list[str] = Field(
        [], description="URLs outside the target that answer while our network works; none: no rollback"
    )
    timeout: Duration = Field(10.0, gt=0, le=300, description="for one exchange")
    throttle: Throttle = Field(Throttle.model_validate({"requests": 20, "per": "1s"}), description="per host")
    settle: Duration = Field(
        30.0, le=3600, description="how long the release must have been in place before it is looked at"
    )
    spread: Duration = Field(20.0, le=600, description="over which the first attempt's looks are spread")
    spacing: Duration = Field(10.0, le=600, description="between two attempts")
    block: Duration = Field(10.0, gt=0, le=60, description="of time, by which samplings keep what they saw")
    window: Duration = Field(60.0, gt=0, le=3600, description="that a sampling lasts at least; six blocks or more")
    budget: int = Field(
        600,
        ge=1,
        le=100_000,
        description="requests of all samplings of a run, 300 each at most, unless load is allowed",
    )
    allow: list[Literal["canary-write", "load"]] = Field([], description="what may be done beside reading")
    deadline: Duration = Field(900.0, gt=0, description="of the whole run")
    vantage: str = Field("", description="where this runs, shown in every report")
    connect: Connect = Field(Connect(), description="how the target is reached")
    not_applicable: dict[str, str] = Field(
        {}, description="items, or their beginnings, that do not apply, each with the reason"
    )
    limits: dict[str, Change] = Field({}, description="other limits for an item")
    probes: dict[str, dict[str, Any]] = Field({}, description="what fills a probe of the checklist, by its name")

    @property
    def sampled_for(self) -> float:
        """Seconds that a sampling lasts at least."""
        return max(self.window, BLOCKS_TO_PASS * self.block)

    @field_validator("base_url")
    @classmethod
    def _can_be_reached(cls, url: str) -> str:
        if not has_host(url):
            message = "no host, or no port that can be, expected such as https://app.example.com:8443"
            raise ValueError(message)
        return url

    @field_validator("control")
    @classmethod
    def _are_urls(cls, urls: list[str]) -> list[str]:
        for url in urls:
            if not url.startswith(("http://", "https://")) or "@" in url or not has_host(url):
                message = f"'{url.rpartition('@')[2]}' is no URL with http:// or https:// and a host, without a user"
                raise ValueError(message)
        return urls

    @field_validator("not_applicable")
    @classmethod
    def _have_reasons(cls, reasons: dict[str, str]) -> dict[str, str]:
        for name, reason in reasons.items():
            if not reason.strip():
                message = f"'{name}' has no reason"
                raise ValueError(message)
        return reasons


class File(Settings):
    """The whole of probes.toml."""

    checklist: str = Field("softfactory", min_length=1, description="a built-in checklist, or the path of your own")
    probes: dict[str, dict[str, Any]] = Field({}, description="probes that all environments share")
    env: dict[str, Environment] = Field(min_length=1, description="the environments by name")


@dataclass(frozen=True, slots=True, kw_only=True)
class Configured:
    """One probe instance with the settings of its kind."""

    probe: str
    instance: str
    kind: str
    config: ProbeConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One environment, with its items and probes in their final form."""

    name: str
    environment: Environment
    items: tuple[Item, ...]  # in scope, with this environment's limits
    not_applicable: Mapping[str, str]  # item id -> reason
    probes: tuple[Configured, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """What a user wrote, checked."""

    path: Path
    digest: str  # SHA-256 of the file
    checklist: Checklist
    targets: Mapping[str, Target]


def load(path: Path) -> Config:
    """The configuration in that file.

    Raises:
        ConfigError: every mistake in it, each with file, line and key.
    """
    return read(text_of(path), path)


_BY_URL = """
[env.url]
base_url = "{base}"
scope = [
    "pre.security.tls-days-left",
    "pre.infra.tls-deployed",
    "deploy.services.health-endpoint",
    "deploy.smoke.smoke-response-times",
    "post.security.headers",
]
settle = "0s"
[env.url.probes.health]
kind = "http"
path = "{path}"
body = "any"
[env.url.probes.api]
kind = "latency"
rate = 5
routes = [{{ path = "{path}" }}]
"""


def of_url(url: str) -> Config:
    """What can be asked of a URL without a file: health, certificate, security headers and latency.

    Raises:
        ConfigError: it is no URL with a host.
    """
    parts = urlsplit(url) if has_host(url) else None
    if parts is None or parts.scheme not in ("http", "https") or parts.query or "@" in parts.netloc or '"' in url:
        expected = "https://HOST/PATH, without a user or a query"
        raise ConfigError(
            [FileProblem(file=Path("--url"), line=None, key="", found="no URL to verify", expected=expected)]
        )
    base, path = f"{parts.scheme}://{parts.netloc}", parts.path or "/"
    return read(_BY_URL.format(base=base, path=path), Path("--url"))


def read(text: str, path: Path) -> Config:
    """The configuration in that text, which stands in that file."""
    document = parse(text, path)
    try:
        file = File.model_validate(document)
    except ValidationError as error:
        raise ConfigError(problems(error, File, path, text)) from None  # its cause holds what the user wrote
    try:
        checklist = checklists.load(file.checklist, relative_to=path.parent)
    except ConfigError as error:  # of a name that is none: which line says it
        at = line_of(text, ("checklist",))
        raise ConfigError([_placed(problem, path, at) for problem in error.problems]) from None
    reader = _Reader(path=path, text=text, checklist=checklist)
    targets = {name: reader.target(name, environment, file.probes) for name, environment in file.env.items()}
    if reader.found:
        raise ConfigError(tuple(dict.fromkeys(reader.found)))
    return Config(path=path, digest=sha256(text.encode()).hexdigest(), checklist=checklist, targets=targets)


def _placed(problem: FileProblem, path: Path, line: int | None) -> FileProblem:
    """A problem with the name of a checklist, where the configuration says it."""
    is_name = problem.line is None and problem.found.startswith("no checklist")
    return replace(problem, file=path, line=line, key="checklist") if is_name else problem


def budget_of_each(target: Target) -> int | None:
    """Requests that each sampling may send, by its share of the budget and the throttle; None where load is allowed."""
    environment, throttle = target.environment, target.environment.throttle
    if "load" in environment.allow:
        return None
    samplings = sum(probes.load(one.kind).sampled is not None for one in target.probes)
    in_time = int(environment.sampled_for * throttle.requests / throttle.per)
    return max(1, min(_MODEST, environment.budget // max(1, samplings), in_time))


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortage:
    """A window that holds fewer requests than the proof of a limit takes."""

    probe: str
    seconds: float
    has: int
    item: str
    limit: Limit
    needs: int


def shortages(target: Target) -> Iterator[Shortage]:
    """Every limit in scope that a window of requests of our own cannot prove, however healthy the target."""
    environment = target.environment
    seconds = environment.sampled_for
    for one in target.probes:
        kind = probes.load(one.kind)
        if kind.sampled is None:
            continue
        has = kind.sampled(one.config, seconds, budget_of_each(target))
        metrics = {metric.name: metric for metric in kind.metrics}
        for item in target.items:
            for limit in item.expect if item.probe == one.probe and item.id not in target.not_applicable else ():
                needs = metrics[limit.metric].requests_for(limit) if limit.metric in metrics else None
                if needs is not None and has < needs:
                    yield Shortage(probe=one.probe, seconds=seconds, has=has, item=item.id, limit=limit, needs=needs)


@dataclass(kw_only=True)
class _Reader:
    """Holds a file against its checklist and the installed kinds, and keeps what does not fit."""

    path: Path
    text: str
    checklist: Checklist
    found: list[FileProblem] = field(default_factory=list)

    def target(self, name: str, environment: Environment, shared: Mapping[str, dict[str, Any]]) -> Target:
        here = ("env", name)
        scope = self._chosen(environment.scope, (*here, "scope"))
        applies_not = self._exempt(environment.not_applicable, scope, (*here, "not_applicable"))
        changes = self._changes(environment.limits, scope, (*here, "limits"))
        tables: list[tuple[tuple[str, ...], dict[str, Any]]]
        tables = [(("probes", probe), table) for probe, table in shared.items() if probe not in environment.probes]
        tables += [((*here, "probes", probe), table) for probe, table in environment.probes.items()]
        target = Target(
            name=name,
            environment=environment,
            items=tuple(changes.get(item.id, item) for item in self.checklist.items if item.id in scope),
            not_applicable=applies_not,
            probes=tuple(one for keys, table in tables for one in self._instances(keys, table)),
        )
        self._misfits(target, (*here, "limits"))
        if "load" in environment.allow:
            self._windows(target, (*here, "window"))
        return target

    def _misfits(self, target: Target, keys: tuple[str, ...]) -> None:
        """A changed limit must be one that the kinds of its probe can prove or refute."""
        kinds = {one.probe: probes.load(one.kind) for one in target.probes}
        for item in target.items:
            metrics = kinds[item.probe].metrics if item.changed_why and item.probe in kinds else ()
            for number, limit in enumerate(item.expect):
                misfits = (metric.misfit(limit) for metric in metrics if metric.name == limit.metric)
                for found, expected in filter(None, misfits):
                    self._complain((*keys, item.id, "expect", number), found, expected)

    def _windows(self, target: Target, keys: tuple[str, ...]) -> None:
        """Where load is allowed, a window that was written must be able to prove what it is for."""
        environment = target.environment
        least = BLOCKS_TO_PASS * environment.block
        if "window" in environment.model_fields_set and environment.window < least:
            found = f"{environment.window / environment.block:g} blocks of {environment.block:g} s"
            self._complain(
                keys, found, f"{BLOCKS_TO_PASS} at least, {least:g} s", "fewer cannot show that errors come in bursts"
            )
            return
        for shortage in shortages(target):
            found = f"{shortage.has} requests of probe '{shortage.probe}' in {shortage.seconds:g} s"
            expected = f"{shortage.needs} at least, which '{shortage.limit}' of {shortage.item} takes"
            seconds = -(-shortage.needs * shortage.seconds // max(shortage.has, 1))
            hint = f"; a longer window ({seconds:g} s), or a higher rate"
            self._complain(keys, found, expected, hint)

    def _complain(self, keys: Sequence[str | int], found: str, expected: str, hint: str = "") -> None:
        line = line_of(self.text, keys)
        key = ".".join(str(part) for part in keys)
        self.found.append(FileProblem(file=self.path, line=line, key=key, found=found, expected=expected, hint=hint))

    def _chosen(self, prefixes: Sequence[str], keys: tuple[str, ...]) -> set[str]:
        """The ids of all items that one of the prefixes names."""
        chosen: set[str] = set()
        for number, prefix in enumerate(prefixes):
            items = self._select(prefix, (*keys, number))
            chosen |= {item.id for item in items}
        return chosen

    def _select(self, prefix: str, keys: Sequence[str | int]) -> tuple[Item, ...]:
        items = self.checklist.select(prefix)
        if not items:
            known = [*(item.id for item in self.checklist.items), *self.checklist.sections, *self.checklist.phases]
            self._complain(keys, f"no item '{prefix}'", "an item's id or its beginning", nearest(prefix, known))
        return items

    def _exempt(self, reasons: Mapping[str, str], scope: set[str], keys: tuple[str, ...]) -> dict[str, str]:
        exempt: dict[str, str] = {}
        for prefix, reason in reasons.items():
            items = self._select(prefix, (*keys, prefix))
            if items and not scope & {item.id for item in items}:
                self._complain((*keys, prefix), "nothing of it is in scope", "items that are", "leave the line out")
            for item in items:
                if item.id in exempt and exempt[item.id] != reason:
                    self._complain((*keys, prefix), f"a second reason for {item.id}", "one reason for each item")
                exempt[item.id] = reason
        return exempt

    def _changes(self, limits: Mapping[str, Change], scope: set[str], keys: tuple[str, ...]) -> dict[str, Item]:
        items = {item.id: item for item in self.checklist.items}
        changed = {}
        for name, change in limits.items():
            here = (*keys, name)
            if name not in items:
                self._complain(here, f"no item '{name}'", "the id of one item", nearest(name, items))
                continue
            item = items[name]
            if name not in scope:
                self._complain(
                    here, "it is not in scope", "limits of an item that is", "; leave them out, or add it to the scope"
                )
                continue
            if item.probe is None:
                self._complain(here, "limits for what a person answers", "an item that a probe answers")
                continue
            parsed = [self._limit(item, text, (*here, "expect", number)) for number, text in enumerate(change.expect)]
            expect = tuple(limit for limit in parsed if limit)
            changed[name] = replace(item, expect=expect, changed_from=item.expect, changed_why=change.why)
        return changed

    def _limit(self, item: Item, text: str, keys: Sequence[str | int]) -> Limit | None:
        try:
            limit = parse_limit(text)
        except ValueError as error:
            self._complain(keys, str(error), "")
            return None
        promises = self.checklist.probes
        metrics = promises[item.probe].metrics if item.probe else {}
        if limit.metric not in metrics:
            owners = [f"'{name}'" for name, promise in promises.items() if limit.metric in promise.metrics]
            hint = f"it is a metric of probe {', '.join(owners)}" if owners else nearest(limit.metric, metrics)
            expected = f"one of probe '{item.probe}': {', '.join(metrics)}"
            self._complain(keys, f"unknown metric '{limit.metric}'", expected, hint)
        elif limit.of == "baseline" and limit.value == 0:
            self._complain(keys, "a tolerance of 0 % allows nothing", "more than 0 %")
        elif limit.of == "value" and limit.unit != metrics[limit.metric]:
            due = metrics[limit.metric]
            expected = f"'{due}', in which {limit.metric} is measured" if due else f"none: {limit.metric} is a count"
            self._complain(keys, f"unit '{limit.unit}'" if limit.unit else "no unit", expected)
        return limit

    def _instances(self, keys: tuple[str, ...], table: Mapping[str, Any]) -> list[Configured]:
        """One instance where the table holds `kind`, else one for each of its tables."""
        probe = keys[-1]
        if probe not in self.checklist.probes:
            self._complain(
                keys, f"no probe '{probe}'", "a probe of the checklist", nearest(probe, self.checklist.probes)
            )
            return []
        if "kind" in table:
            return self._configured(probe, "", keys, table)
        if not table or not all(isinstance(value, dict) for value in table.values()):
            self._complain(
                keys, "no 'kind'", 'kind = "...", or only tables of instances', _kinds_hint(self.checklist, probe)
            )
            return []
        return [one for name, part in table.items() for one in self._configured(probe, name, (*keys, name), part)]

    def _configured(
        self, probe: str, instance: str, keys: tuple[str, ...], table: Mapping[str, Any]
    ) -> list[Configured]:
        name = table.get("kind")
        if not probes.is_installed(name):
            expected = f"an installed kind: {', '.join(probes.names())}"
            close = nearest(name, probes.names()) if isinstance(name, str) else ""
            found = f"unknown kind '{name}'" if isinstance(name, str) else "no kind"
            self._complain((*keys, "kind"), found, expected, close or _kinds_hint(self.checklist, probe))
            return []
        model = probes.load(name).config
        try:
            config = model.model_validate(table)
        except ValidationError as error:
            self.found += problems(error, model, self.path, self.text, keys)
            return []
        return [Configured(probe=probe, instance=instance, kind=name, config=config)]


def _kinds_hint(checklist: Checklist, probe: str) -> str:
    return f"the checklist names for it: {', '.join(checklist.probes[probe].kinds)}"
