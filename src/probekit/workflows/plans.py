"""What the configuration of an environment plans for its deployments: their window and their archive."""

from __future__ import annotations

from typing import Final

from probekit.config.target import Target
from probekit.history.load import DeploymentPlans
from probekit.workflows import people
from probekit.workflows.assembly import loaded, target_of
from probekit.workflows.options import RunOptions

_WITHOUT_RUNS: Final = frozenset({"settled", "go", "metrics", "age_at_deployment", "new_metrics"})


def deployment_plans(options: RunOptions) -> DeploymentPlans:
    """Return the window and the archive of the options' environment; its path counts from the folder of the file.

    Raises:
        ConfigError, RequestError: see `target_of`.
    """
    config = loaded(options)
    target = target_of(options, config)
    environment, archive = target.environment, target.environment.archive
    return DeploymentPlans(
        window=people.deployment_window(environment),
        reads_ledger=_reads_ledger(target),
        archive=None if archive is None else str((config.path.parent / archive).absolute()),
    )


def _reads_ledger(target: Target) -> bool:
    """Return whether an item in scope, or an own check, needs more of probekit's own record than marks and windows."""
    of_record = {"deployment", *(one.probe for one in target.probes if one.source.of_record)}
    return any(item.probe in of_record and not item.metrics <= _WITHOUT_RUNS for item in target.items)
