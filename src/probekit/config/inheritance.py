"""Resolve what an environment inherits: from [defaults], from [probes], and from another environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from probekit.config.complaints import Complaints
from probekit.config.merging import ENVIRONMENT, PROBES, merged
from probekit.config.origins import Node, table
from probekit.toml_file import nearest

# Settings of one target alone: what may be done to it, its exceptions, its deployment
NEVER_INHERITED: Final = frozenset((
    "allow", "archive", "base_url", "deployed_by", "deployment_window", "facts", "inherits", "limits",
    "maintenance",
    "not_applicable", "release", "reviewed_by", "trust", "without_probes",
))  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Inheritance:
    """Resolves the environments of one file; mistakes are reported to `complain`."""

    file: Node
    complain: Complaints
    _known: dict[str, Node] = field(default_factory=dict)

    def resolved(self) -> Mapping[str, Node]:
        """Every environment with all that it inherits, in the order of the file."""
        written = self.file.get("env")
        if written is None or not isinstance(written.value, dict):
            return {}
        self._check_defaults()
        return {name: self._environment(name, written, ()) for name in written.value}

    def _check_defaults(self) -> None:
        defaults = self.file.get("defaults")
        for key in defaults.value if defaults and isinstance(defaults.value, dict) else ():
            if key in NEVER_INHERITED:
                self.complain(
                    ("defaults", key), "this setting is never inherited", "", "set it in each environment, [env.NAME]"
                )

    @property
    def _lowest(self) -> Node:
        """The base of every environment without `inherits`: [defaults], and [probes] over its probes."""
        defaults, shared = self.file.get("defaults"), self.file.get("probes")
        is_table = defaults is not None and isinstance(defaults.value, dict)
        base = defaults if defaults and is_table else Node(value={}, origin=self.file.origin)
        if shared is None or not isinstance(shared.value, dict):
            return base
        below = base.get("probes")
        return _with(base, "probes", merged(below, shared, PROBES) if below else shared)

    def _environment(self, name: str, written: Node, below: tuple[str, ...]) -> Node:
        """One environment; `below`: the environments that inherit it, nearest last."""
        if name not in self._known:
            own = written.part(name)
            parent = self._parent(name, own, written, (*below, name))
            found = merged(_inheritable(parent or self._lowest), own, ENVIRONMENT)
            self._known[name] = self._without(name, own, found)
        return self._known[name]

    def _parent(self, name: str, own: Node, written: Node, chain: tuple[str, ...]) -> Node | None:
        """The environment that this one inherits; None where it names none, or an invalid one."""
        written_parent = own.get("inherits")
        parent, keys = written_parent.value if written_parent else None, ("env", name, "inherits")
        if not isinstance(parent, str):  # another type is reported with the other settings
            return None
        if parent in chain:
            circle = " -> ".join((*chain[chain.index(parent) :], parent))
            self.complain(keys, f"circular inheritance: {circle}", "an environment that does not inherit this one")
            return None
        if parent not in written.value:
            others = ", ".join(other for other in written.value if other != name)
            expected = f"one of {others}" if others else "another environment: add one"
            self.complain(keys, f"unknown environment '{parent}'", expected, nearest(parent, written.value))
            return None
        return self._environment(parent, written, chain)

    def _without(self, name: str, own: Node, found: Node) -> Node:
        """The environment without its `without_probes`, each a probe's name or PROBE.INSTANCE."""
        left_out, probes = own.get("without_probes"), found.get("probes")
        names = left_out.value if left_out and isinstance(left_out.value, list) else []
        for number, one in enumerate(names):
            if not isinstance(one, str):
                continue
            probe, _, instance = one.partition(".")
            keys = ("env", name, "without_probes", number)
            inner = probes.get(probe) if probes else None
            is_missing = inner is None or (instance and (inner.get("kind") or not inner.get(instance)))
            if inner is None or is_missing:
                known = probes.value if probes and isinstance(probes.value, dict) else {}
                expected = f"an inherited probe: {', '.join(known) or 'there is none'}"
                self.complain(keys, f"unknown probe '{one}'", expected, nearest(probe, known))
            elif _is_there(own, probe, instance):
                self.complain(keys, f"'{one}' is both excluded and configured here", "one of the two")
            elif probes:
                part = _less(inner, instance) if instance else None
                probes = _with(probes, probe, part) if part and part.value else _less(probes, probe)
        return _with(found, "probes", probes) if probes and names else found


def _is_there(own: Node, probe: str, instance: str) -> bool:
    """Whether the environment itself has a table of that probe."""
    probes = own.get("probes")
    written = probes.get(probe) if probes else None
    return written is not None and (not instance or written.get(instance) is not None)


def _inheritable(node: Node) -> Node:
    return _less(node, *NEVER_INHERITED)


def _less(node: Node, *keys: str) -> Node:
    if not isinstance(node.value, dict):
        return node
    return table({key: node.part(key) for key in node.value if key not in keys}, node.origin)


def _with(node: Node, key: str, part: Node) -> Node:
    return table({**{name: node.part(name) for name in node.value}, key: part}, node.origin)
