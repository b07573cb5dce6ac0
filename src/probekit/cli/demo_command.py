"""`probekit demo`: start the embedded target and run verify against it."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from probekit.cli.codes import INTERNAL, USAGE
from probekit.cli.errors import exit_on_error
from probekit.cli.options import verify_options
from probekit.cli.output import warn, write_stdout
from probekit.cli.verifying import verify
from probekit.demo import environment
from probekit.demo.errors import DemoError, MissingExtraError
from probekit.demo.faults import parsed
from probekit.demo.target import FAULTS, SERVE_PORTS, Target, running_target
from probekit.text import paragraph

_SERVED_IN = Path(".probekit-demo")  # the probes.toml of the repository names its files


def _described() -> str:
    rows = [
        line
        for name, sentence in FAULTS.items()
        for line in paragraph(sentence, width=76, indent=f"  {name:24} ", hanging=" " * 27)
    ]
    shares = "slow=2% and errors=2% affect that share of requests, at random;\nbase-delay=150% is 1.5 times the delay"
    return "\n".join(["\b", f"Faults ({shares}):", *rows])


class _Fault(click.ParamType[str]):
    """A fault's name, or name=share."""

    name = "fault"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ANN401  # click's interface
        try:
            parsed(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        return str(value)

    def shell_complete(self, _ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return [CompletionItem(name) for name in FAULTS if name.startswith(incomplete)]


@click.command(name="demo", epilog=_described())
@click.option("--serve", is_flag=True, help="Keep the target running on fixed ports until Ctrl-C. Verify nothing.")
@click.option("--fault", type=_Fault(), metavar="NAME", help="Break the target in one way; see the faults below.")
@verify_options
@exit_on_error
def command(*, serve: bool, fault: str | None, **options: Any) -> int:  # noqa: ANN401  # click hands over what the options parsed
    """Start a demo application and verify it.

    The target is a real application over HTTPS, with PostgreSQL and Valkey behind it, on this machine.

    \b
    Examples:
      probekit demo
      probekit demo --fault hang
      probekit demo --fault hang --deployed now
      probekit demo --serve      (in another terminal: probekit verify --env demo)
    """  # noqa: D301  # \b is click's mark for lines it must not wrap
    try:
        return _serve(fault) if serve else _verify(fault, options)
    except MissingExtraError as error:
        warn(str(error), level="error")
        return USAGE
    except DemoError as error:
        warn(str(error), level="error")
        return INTERNAL


def _verify(fault: str | None, options: dict[str, Any]) -> int:
    with running_target() as target:
        if fault:
            target.plant(fault)
        return verify("demo", environment.write(target), options)


def _serve(fault: str | None) -> int:
    _SERVED_IN.mkdir(exist_ok=True)
    with running_target(_SERVED_IN, SERVE_PORTS) as target:
        if fault:
            target.plant(fault)
        environment.write(target)
        write_stdout(_described_target(target))
        return _until_stopped()


def _described_target(target: Target) -> str:
    return (
        f"# target: {target.base_url}, without TLS: {target.plain_url}, control: {target.control_url}\n"
        f"# PostgreSQL: {target.postgres_dsn}\n# Valkey: {target.valkey_url}\n"
        f"# verify it with this probes.toml, or with that of the repository: probekit verify --env demo\n\n"
        f"{environment.text(environment.place_of(target))}\n# Ctrl-C stops it\n"
    )


def _until_stopped() -> int:
    """Wait for SIGINT or SIGTERM, which end a served target normally."""
    stopped = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, stopped)
    signal.sigwait(stopped)
    return 0
