"""Run a program on this machine, such as a monitoring plugin or a script, and read its exit code and its numbers."""

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

_ALWAYS: Final = {"LC_ALL": "C", "TZ": "UTC"}  # so that numbers and times have the same format on all machines


async def measure(config: CommandProbe, context: Context) -> Readings:
    """Run the program once and read its numbers.

    Raises:
        ProbeFailedError: the program cannot be started, ran too long, or its output is too long or not readable.
    """
    redactor = Redactor()  # redact before a text is cut: a part of a secret would not be recognised
    secrets = {name: context.reveal(kept) for name, kept in config.secrets.items()}
    for secret in secrets.values():
        redactor.learn(secret)
    variables = _ALWAYS | _passed_on(config) | secrets | _facts(context)
    is_heard = config.nagios or bool(config.metrics)
    ended = await run(config.argv, variables=variables, within=context.timeout, is_heard=is_heard)
    return (of_plugin if config.nagios else of_script)(config, ended, redactor.clean)


def _facts(context: Context) -> dict[str, str]:
    """The variables that describe the run and the release; an unknown fact has no variable."""
    deployment = context.history.deployment
    facts = {
        "ENVIRONMENT": context.environment,
        "STAGE": context.stage,
        "RELEASE": context.release,
        "COMMIT": context.identity.commit or "",
        "IMAGES": " ".join(f"{name}={digest}" for name, digest in sorted(context.identity.images.items())),
        "DEPLOYED": deployment.mark.isoformat() if deployment else "",
        "PREVIOUS": context.history.previous_release or "",
    }
    return {f"PROBEKIT_{name}": fact for name, fact in facts.items() if fact}


def _passed_on(config: CommandProbe) -> dict[str, str]:
    """PATH and the variables of `env`; all must be set, or the program could silently check another system."""
    missing = [name for name in config.env if name not in os.environ]
    if missing:
        detail = f"the variable {missing[0]} is not set: set it, or remove it from env"
        raise ProbeFailedError(Reason.MISSING_SETTING, detail)
    return {name: os.environ[name] for name in ("PATH", *config.env) if name in os.environ}


def _unread(config: CommandProbe, _base_url: str) -> dict[str, str]:
    """All metrics, where this machine lacks the program or one of its variables."""
    lacking = [f"needs the variable {name}, which is not set" for name in config.env if name not in os.environ]
    if shutil.which(config.argv[0]) is None:
        lacking.insert(0, f"needs the program {config.argv[0]}, which does not exist here or is not executable")
    return dict.fromkeys(_provided(config), lacking[0]) if lacking else {}


def _provided(config: CommandProbe) -> frozenset[str]:
    return frozenset(config.metrics) | {config.own_metric}


def _example_for(probe: str, metrics: Sequence[str], samples: frozenset[str]) -> str:
    """Return a table whose program prints these metrics, and the size of a sample; an exit code is not printed."""
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
        Metric(name="exit_code", unit="", high=255, help="The exit code of the program."),
        Metric(name="status", unit="", high=2, help="The state of a monitoring plugin: 0 OK, 1 WARNING, 2 CRITICAL."),
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
        "those of the program; its only variables are PATH, LC_ALL, TZ, those of env and secrets, and "
        "PROBEKIT_RELEASE, _COMMIT, _IMAGES, _PREVIOUS, _DEPLOYED, _STAGE and _ENVIRONMENT where the run knows them"
    ),
    safety="Depends on the program, which probekit does not restrict.",
)
