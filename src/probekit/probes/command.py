"""What does a program on this machine say? Any monitoring plugin, or a script of your own, as a probe."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from math import isfinite
from tempfile import TemporaryDirectory
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BeforeValidator, Field, StringConstraints, field_validator, model_validator

from probekit.json_answer import compile_path, find, is_number, parse, shown
from probekit.probe import (
    Context,
    Duration,
    Exact,
    Failure,
    Kind,
    Metric,
    ProbeConfig,
    ProbeFailedError,
    Readings,
    Reason,
    Secret,
    Settings,
)

_MOST: Final = 1 << 16  # bytes of each stream
_GRACE: Final = 1.0  # seconds between SIGTERM and SIGKILL, and for what still lies in a pipe
_PAUSE: Final = 0.01  # seconds between two looks whether it has ended
_TAIL: Final = 300  # characters of output that a report quotes
_STATES: Final = {
    0: "OK",
    1: "WARNING",
    2: "CRITICAL",
}  # Monitoring Plugins Development Guidelines, "Plugin Return Codes"
_PERFDATA: Final = re.compile(  # the same, "Performance data": 'label'=value[UOM];[warn];[crit];[min];[max]
    r"(?<!\S)(?:'(?P<quoted>(?:[^']|'')+)'|(?P<plain>[^\s=']+))=(?P<value>[^\s;]*)(?:;\S*)?(?=\s|$)"
)
_VALUE: Final = re.compile(r"(-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)(s|us|ms|%|[KMGT]?B|c)?")


class Place(Settings):
    """Where a number stands, and what makes the metric's unit of it."""

    at: str = Field(min_length=1, description="a JSONPath of RFC 9535 into stdout, or the label of performance data")
    times: float = Field(1.0, gt=0, allow_inf_nan=False, description="what the number is multiplied by, such as 1000")


def _place(written: object) -> object:
    return {"at": written} if isinstance(written, str) else written


Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]


class CommandProbe(ProbeConfig):
    """What is run, with what around it, and which numbers its output holds."""

    kind: Literal["command"]
    argv: tuple[Annotated[str, StringConstraints(min_length=1)], ...] = Field(
        min_length=1, description="the program and its arguments, one text each; no shell reads them"
    )
    nagios: bool = Field(
        default=False, description="it is a monitoring plugin: exit 0, 1, 2 is 'status', performance data are numbers"
    )
    reads: dict[str, Annotated[Place, BeforeValidator(_place, json_schema_input_type=str | Place)]] = Field(
        {}, description="metric of the probe to the place of its number: text, or { at = ..., times = ... }"
    )
    exits: tuple[int, ...] = Field((0,), min_length=1, description="exit codes with which its output is an answer")
    limit: Duration = Field(30.0, gt=0, le=60, description="how long it may run")
    variables: tuple[Name, ...] = Field((), description="variables of our own environment that it sees, beside PATH")
    secrets: dict[Name, Secret] = Field({}, description="variables that it sees, by reference")

    @field_validator("argv")
    @classmethod
    def _is_found_alike(cls, argv: tuple[str, ...]) -> tuple[str, ...]:
        if "/" in argv[0] and not argv[0].startswith("/"):
            message = f"'{argv[0]}' depends on where probekit is started: write the whole path, or a name in PATH"
            raise ValueError(message)
        if any("\0" in word for word in argv):
            message = "no argument can hold a NUL"
            raise ValueError(message)
        return argv

    @model_validator(mode="after")
    def _gives_something(self) -> Self:
        if not self.nagios and not self.reads:
            message = 'gives no number: add reads = { metric = "$.path" }, or nagios = true'
            raise ValueError(message)
        for place in () if self.nagios else self.reads.values():
            compile_path(place.at)
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ended:
    """How a program ended, and what it said."""

    code: int
    out: bytes
    err: bytes

    @property
    def tail(self) -> str:
        """The end of what it said, on one line."""
        text = " ".join((self.out + b" " + self.err).decode("utf-8", "replace").split())
        return text if len(text) <= _TAIL else f"...{text[-_TAIL:]}"


async def measure(config: CommandProbe, context: Context) -> Readings:
    """Run it once, in an empty folder, and read its numbers.

    Raises:
        ProbeFailedError: it cannot be started, ran too long, said too much or nothing that can be read.
    """
    variables = {name: os.environ[name] for name in ("PATH", *config.variables) if name in os.environ}
    variables |= {"LC_ALL": "C", "TZ": "UTC"} | {name: context.reveal(kept) for name, kept in config.secrets.items()}
    ended = await _run(config, variables)
    if ended.code < 0:
        raise ProbeFailedError(Reason.BAD_RESPONSE, f"{config.argv[0]} was ended by signal {-ended.code}")
    return _of_plugin(config, ended) if config.nagios else _of_json(config, ended)


def _of_json(config: CommandProbe, ended: _Ended) -> Readings:
    if ended.code not in config.exits:
        raise ProbeFailedError(Reason.BAD_RESPONSE, f"{config.argv[0]} ended with {ended.code}: {ended.tail}")
    document = parse(ended.out)
    return Readings(
        {"seen": f"{config.argv[0]} ended with {ended.code}"},
        **{metric: _number(place, document) for metric, place in config.reads.items()},
    )


def _number(place: Place, document: Any) -> Exact | Failure:  # noqa: ANN401  # any JSON value
    try:
        value = find(place.at, document)
    except ProbeFailedError as error:
        return Failure(reason=error.reason, detail=error.detail)
    if isinstance(value, bool):
        return Exact(float(value))
    if not is_number(value):
        return Failure(reason=Reason.BAD_RESPONSE, detail=f"{shown(value)} at {place.at}, where a number is due")
    return Exact(value * place.times)


def _of_plugin(config: CommandProbe, ended: _Ended) -> Readings:
    """Its state and its performance data, by the guidelines; UNKNOWN is no reading."""
    if ended.code not in _STATES:
        raise ProbeFailedError(Reason.BAD_RESPONSE, f"{config.argv[0]} says UNKNOWN ({ended.code}): {ended.tail}")
    text = ended.out.decode("utf-8", "replace")
    known = _performance(text)
    values: dict[str, Exact | Failure] = {"status": Exact(ended.code)}
    for metric, place in config.reads.items():
        number = known.get(place.at)
        labels = ", ".join(map(shown, list(known)[:10])) or "none"
        detail = f"no number '{place.at}' among its performance data: {labels}"
        values[metric] = (
            Failure(reason=Reason.BAD_RESPONSE, detail=detail) if number is None else Exact(number * place.times)
        )
    first = text.partition("\n")[0].partition("|")[0].strip()
    return Readings({"seen": f"{_STATES[ended.code]}: {first[:_TAIL]}"}, **values)


def _performance(text: str) -> dict[str, float]:
    """Label to number; what is "U", or no number, is left out."""
    lines = text.splitlines()
    parts = [line.partition("|")[2] for line in lines]
    behind = next((number for number, part in enumerate(parts[1:], 1) if part), None)
    data = " ".join([parts[0] if parts else "", *([parts[behind], *lines[behind + 1 :]] if behind else [])])
    known: dict[str, float] = {}
    for found in _PERFDATA.finditer(data):
        value = _VALUE.fullmatch(found["value"])
        if value and isfinite(float(value[1])):
            known.setdefault((found["quoted"] or found["plain"]).replace("''", "'"), float(value[1]))
    return known


async def _run(config: CommandProbe, variables: Mapping[str, str]) -> _Ended:
    program = config.argv[0]
    with TemporaryDirectory(prefix="probekit-") as folder:
        try:
            async with _started(config.argv, folder, variables) as process, asyncio.timeout(config.limit):
                return await _ended(process, program)
        except TimeoutError:
            raise ProbeFailedError(Reason.TIMEOUT, f"{program} did not end within {config.limit:g} s") from None
        except (FileNotFoundError, NotADirectoryError, PermissionError, OSError) as error:
            raise ProbeFailedError(Reason.MISSING_FILE, f"{program} cannot be started: {error.strerror}") from error


@asynccontextmanager
async def _started(
    argv: tuple[str, ...], folder: str, variables: Mapping[str, str]
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process in a session of its own, of which nothing is left behind."""
    process = await asyncio.create_subprocess_exec(
        *argv,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=folder,
        env=variables,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        await asyncio.shield(asyncio.create_task(_end(process)))


async def _end(process: asyncio.subprocess.Process) -> None:
    """End the whole group: asked first, then not asked; grandchildren too."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
        with suppress(TimeoutError):
            await asyncio.wait_for(_exited(process), _GRACE)
        os.killpg(process.pid, signal.SIGKILL)
    await _exited(process)
    process._transport.close()  # type: ignore[attr-defined]  # noqa: SLF001  # a stranger may hold the pipes' other ends


async def _exited(process: asyncio.subprocess.Process) -> int:
    """Its exit code, once it has one: `wait` of asyncio also waits for whoever else holds its pipes."""
    while process.returncode is None:  # noqa: ASYNC110  # asyncio's watcher sets it, and tells nobody
        await asyncio.sleep(_PAUSE)
    return process.returncode


async def _ended(process: asyncio.subprocess.Process, program: str) -> _Ended:
    out, err = bytearray(), bytearray()
    streams = ((process.stdout, out), (process.stderr, err))
    readers = [asyncio.create_task(_read(stream, kept, program)) for stream, kept in streams if stream]
    waiting = asyncio.create_task(_exited(process))
    left: set[asyncio.Task[Any]] = {waiting, *readers}
    try:
        while waiting in left:
            done, left = await asyncio.wait(left, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        await asyncio.wait(readers, timeout=_GRACE)  # a grandchild may hold the pipe for ever
        for reader in readers:
            if reader.done():
                reader.result()
        return _Ended(code=waiting.result(), out=bytes(out), err=bytes(err))
    finally:
        for task in (*readers, waiting):
            task.cancel()
        await asyncio.gather(*readers, waiting, return_exceptions=True)


async def _read(stream: asyncio.StreamReader, kept: bytearray, program: str) -> None:
    while data := await stream.read(4096):
        kept += data
        if len(kept) > _MOST:
            raise ProbeFailedError(Reason.BAD_RESPONSE, f"{program} says more than {_MOST >> 10} KiB")


KIND = Kind(
    config=CommandProbe,
    metrics=(Metric(name="status", unit="", help="of a monitoring plugin: 0 OK, 1 WARNING, 2 CRITICAL"),),
    gives=lambda config: frozenset(config.reads) | ({"status"} if config.nagios else frozenset()),
    measure=measure,
    requests=0,
    example="""\
kind = "command"
argv = ["/usr/local/bin/count-orphans", "--format", "json"]  # prints {"orphans": 0, "violations": 0}
reads = { orphans = "$.orphans", violations = "$.violations" }
secrets = { DATABASE_URL = { env = "DATABASE_URL" } }
""",
    privileges="whatever the program needs; it sees no variable but PATH and those that are named",
    safety="whatever the program does: only it knows",
)
