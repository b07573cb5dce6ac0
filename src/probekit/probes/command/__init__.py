"""What does a program on this machine say? Any monitoring plugin, or a script of your own, as a probe."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from typing import Final

from probekit.probe import ANY_PROBE, Context, Kind, Metric, ProbeFailedError, Readings, Reason
from probekit.probes.command.plugin import of_plugin
from probekit.probes.command.program import run
from probekit.probes.command.script import of_script
from probekit.probes.command.settings import CommandProbe
from probekit.redaction import Redactor

_ALWAYS: Final = {"LC_ALL": "C", "TZ": "UTC"}  # numbers and times are written alike everywhere


async def measure(config: CommandProbe, context: Context) -> Readings:
    """Run it once and read its numbers.

    Raises:
        ProbeFailedError: it cannot be started, ran too long, said too much or nothing that can be read.
    """
    redactor = Redactor()  # a text must be clean before it is cut: of a secret's end nobody could tell
    secrets = {name: context.reveal(kept) for name, kept in config.secrets.items()}
    for secret in secrets.values():
        redactor.learn(secret)
    variables = _ALWAYS | _passed_on(config) | secrets | _facts(context)
    is_heard = config.nagios or bool(config.metrics)
    ended = await run(config.argv, variables=variables, within=context.timeout, is_heard=is_heard)
    return (of_plugin if config.nagios else of_script)(config, ended, redactor.clean)


def _facts(context: Context) -> dict[str, str]:
    """What the run knows of itself and of the release; a variable of what it does not know is not set."""
    deployment = context.history.deployment
    facts = {
        "ENVIRONMENT": context.environment,
        "STAGE": context.stage,
        "RELEASE": context.release,
        "DEPLOYED": deployment.mark.isoformat() if deployment else "",
        "PREVIOUS": context.history.previous_release or "",
    }
    return {f"PROBEKIT_{name}": fact for name, fact in facts.items() if fact}


def _passed_on(config: CommandProbe) -> dict[str, str]:
    """PATH and the variables that are named; without one of them the program might look at another place unseen."""
    missing = [name for name in config.env if name not in os.environ]
    if missing:
        raise ProbeFailedError(Reason.MISSING_SETTING, f"the variable {missing[0]} is not set")
    return {name: os.environ[name] for name in ("PATH", *config.env) if name in os.environ}


def _unread(config: CommandProbe, _base_url: str) -> dict[str, str]:
    """Every metric, where this machine lacks the program or a variable of its own."""
    lacking = [f"needs the variable {name}, which is not set" for name in config.env if name not in os.environ]
    if shutil.which(config.argv[0]) is None:
        lacking.insert(0, f"needs the program {config.argv[0]}, which is not there or cannot be run")
    return dict.fromkeys(_provided(config), lacking[0]) if lacking else {}


def _provided(config: CommandProbe) -> frozenset[str]:
    return frozenset(config.metrics) | {config.own_metric}


def _example_for(probe: str, metrics: Sequence[str], samples: frozenset[str]) -> str:
    """Return a table whose program prints these metrics, the size of a sample too; an exit code is not printed."""
    printed = [name for name in metrics if name != "exit_code"]
    places = [
        f'{name} = {{ at = "$.{name}", n = "$.n" }}' if name in samples else f'{name} = "$.{name}"' for name in printed
    ]
    sizes = ["n"] if samples & set(printed) else []
    lines = ['kind = "command"', f'argv = ["/usr/local/bin/{probe}"]']
    if printed:
        lines.append(f"# it prints {json.dumps(dict.fromkeys([*printed, *sizes], 0))}")
        lines.append(f"metrics = {{ {', '.join(places)} }}")
    return "".join(f"{line}\n" for line in lines)


KIND = Kind(
    config=CommandProbe,
    fills=(ANY_PROBE,),
    metrics=(
        Metric(name="exit_code", unit="", high=255, help="with which the program ended"),
        Metric(name="status", unit="", high=2, help="of a monitoring plugin: 0 OK, 1 WARNING, 2 CRITICAL"),
    ),
    default_limits=lambda config: (f"{config.own_metric} == 0",),
    metrics_for=_provided,
    unread=_unread,
    measure=measure,
    counters=lambda config: frozenset(name for name, place in config.metrics.items() if place.counter),
    unsized=lambda config: frozenset(name for name, place in config.metrics.items() if not place.n),
    timeout_for=lambda config: config.timeout,
    requests=0,
    reported=True,
    example="""\
kind = "command"
argv = ["/usr/local/bin/dry-run", "--format", "json"]  # its exit code is 'exit_code'; it prints {"orphans": 0}
metrics = { orphans = "$.orphans" }
secrets = { DATABASE_URL = { env = "DATABASE_URL" } }
timeout = "2min"
""",
    example_for=_example_for,
    privileges=(
        "whatever the program needs; it sees no variable but PATH, those that are named, and PROBEKIT_RELEASE, "
        "_PREVIOUS, _DEPLOYED, _STAGE and _ENVIRONMENT as far as the run knows them"
    ),
    safety="whatever the program does: only it knows",
)
