"""`probekit plan`: what would run, what it costs, and what keeps it from ever being go."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click

from probekit.cli.config_file import default_config
from probekit.cli.options import config_option, environment_option
from probekit.cli.output import write_stdout
from probekit.cli.trouble import exit_on_error
from probekit.config.target import Config, Target
from probekit.model.plan import Plan, Step
from probekit.planning.capacity import shortages
from probekit.planning.plan import obstacles, possible_scope
from probekit.planning.selection import Selection
from probekit.probe import ConfiguredKind
from probekit.workflows.assembly import prepare
from probekit.workflows.options import RunOptions


@click.command(name="plan")
@environment_option
@config_option
@click.option("--section", "sections", multiple=True, metavar="SECTION", help="Only items of this section.")
@click.option("--item", "items", multiple=True, metavar="ITEM", help="Only this item, or those whose id begins so.")
@click.option("--probe", "probes", multiple=True, metavar="PROBE", help="Only items that read this probe.")
@click.option("--release", metavar="VERSION", help="The version that must be served.")
@exit_on_error
def command(environment: str | None, config: Path | None, release: str | None, **selection: tuple[str, ...]) -> int:
    """Check the files and show what verify would do; nothing is touched.

    \b
    Examples:
      probekit plan --env prod
      probekit plan --env prod --section deploy.services
    """  # noqa: D301  # \b is click's mark for lines it must not wrap
    request = RunOptions(
        environment=environment,
        config=default_config(config),
        selection=Selection(sections=selection["sections"], items=selection["items"], probes=selection["probes"]),
        release=release,
    )
    loaded, target, planned = prepare(request)
    lines = [
        *_head(loaded, target, planned),
        *_steps(target, planned),
        *_gaps(planned),
        *_short(target, planned),
        *_verdict(planned),
    ]
    write_stdout("".join(f"{line}\n" for line in lines))
    return 0


def _head(config: Config, target: Target, planned: Plan[ConfiguredKind]) -> list[str]:
    environment = target.environment
    return [
        f"plan for {target.name} ({environment.base_url}), {config.path}",
        f"{len(planned.items)} of {len(config.checklist.items)} items in scope",
        "",
    ]


def _steps(target: Target, planned: Plan[ConfiguredKind]) -> list[str]:
    """The run in its order, with its cost at the worst."""
    environment, lines = target.environment, []
    controls, guards = len(environment.control), planned.release_guards
    lines.append(
        f"controls  {controls} at the start and at the end" if controls else "controls  none: nothing orders a rollback"
    )
    lines.append(f"settle    until {environment.settle:g} s after the deployment")
    expected = f"expects {planned.versions}" if planned.versions.expected else "version check: off, none is expected"
    lines += [f"release   {guard.name} ({guard.kind}), before and after; {expected}" for guard in guards]
    if not guards:
        lines.append("release   version check: off, no probe 'release' is configured")
    for turn, heading in _TURNS.items():
        steps = [step for step in planned.steps if step.turn == turn]
        lines += [heading, *(f"  {_step(step)}" for step in steps)] if steps else []
    total = sum(step.cost for step in planned.steps if not step.window) + 2 * sum(guard.cost for guard in guards)
    windows = " beside the windows" if any(step.window for step in planned.steps) else ""
    lines += [f"at most {total} requests to each address{windows}, {2 * controls} to the controls", ""]
    return lines


_TURNS = {
    "background": "background, while the others run",
    "concurrent": "concurrent",
    "exclusive": "exclusive, one after the other",
    "final": "final, after the release guard",
}


def _step(step: Step[ConfiguredKind]) -> str:
    if step.window:
        sends = f", {step.cost // step.windows} requests" if step.source.requests_per_window else ""
        further = f"; up to {step.windows} windows while an item is undecided" if step.further_windows else ""
        return f"{step.name} ({step.kind}): a window of {step.window:g} s{sends}{further}"
    measurements = f"{step.repeat} measurements over {step.spread:g} s" if step.repeat > 1 else "1 measurement"
    attempts = f", up to {step.attempts} attempts {step.attempt_interval:g} s apart" if step.attempts > 1 else ""
    return f"{step.name} ({step.kind}): {measurements}{attempts}; at most {step.cost} requests, {step.longest:.0f} s"


def _gaps(planned: Plan[ConfiguredKind]) -> list[str]:
    """What no probe answers for, by reason."""
    reasons = Counter(planned.uncovered.values())
    lines = [f"not configured: {len(planned.uncovered)} items"] if reasons else []
    lines += [f"  {count:3} x {reason}" for reason, count in reasons.items()]
    signed = [item for item in planned.items if item.probe is None and item.id not in planned.not_applicable]
    if signed:
        lines.append(f"for people to sign: {len(signed)} items")
    if planned.not_applicable:
        lines.append(f"not applicable: {len(planned.not_applicable)} items")
    return [*lines, ""] if lines else []


def _short(target: Target, planned: Plan[ConfiguredKind]) -> list[str]:
    """Limits that a window of this size cannot prove, and a throttle too slow for the deadline."""
    lines = []
    for shortage in shortages(target):
        if any(item.id == shortage.item for item in planned.items):
            less = f"{shortage.has} requests of probe '{shortage.probe}', {shortage.needs} are needed"
            lines.append(f"  {shortage.item}: '{shortage.limit}' cannot be verified with {less}")
    if lines:
        lines = ['verified only by several runs, or with allow = ["load"] and a longer window:', *lines]
    throttle = target.environment.throttle
    requests = sum(step.cost for step in planned.steps if not step.window)
    seconds = requests * throttle.per / throttle.requests
    if seconds > target.environment.deadline:
        summary = f"{requests} requests take {seconds:.0f} s at {throttle.requests} in {throttle.per:g} s"
        lines.append(
            f"too slow a throttle: {summary}, and the run ends after {target.environment.deadline:g} s (deadline)"
        )
    return [*lines, ""] if lines else []


def _verdict(planned: Plan[ConfiguredKind]) -> list[str]:
    """Whether a healthy target can get its go."""
    stuck, possible = obstacles(planned), possible_scope(planned)
    if not stuck:
        return ["a healthy target can be go" if possible else "GO is impossible: no configured probe covers an item"]
    lines = [
        f"GO is impossible: {len(stuck)} required items have no source",
        *(f"  {item.id} ({item.severity})" for item in stuck),
    ]
    if possible:
        lines += ["the scope that can be GO:", "  scope = [", *(f'    "{name}",' for name in possible), "  ]"]
    return lines
