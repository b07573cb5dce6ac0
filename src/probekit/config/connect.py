"""How a target is reached, as probes.toml says it."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field, field_validator

from probekit.probe import SecretRef, Settings
from probekit.transport.resolver import Family, name_of
from probekit.transport.urls import endpoint_in


class SecretFile(Settings):
    """A file that holds a secret, written as every other reference is."""

    file: Path = Field(description="its path")


def _path(value: object) -> object:
    """The path of `{ file = "PATH" }`."""
    return value["file"] if isinstance(value, Mapping) and value.keys() == {"file"} else value


class Connect(Settings):
    """How the target is reached."""

    ca: Path | None = Field(None, description="CA certificates in PEM, trusted in addition to the system's store")
    resolve: dict[str, str] = Field(
        {}, description='"host:port" to the address that is used instead of the resolver\'s'
    )
    headers: dict[str, SecretRef] = Field({}, description="headers sent to base_url's own origin, by reference")
    family: Family = Field("any", description="of the addresses that are asked: any, ipv4 or ipv6")
    proxy: SecretRef | None = Field(
        None, description="where http://USER:PASSWORD@HOST:PORT is kept, the proxy for HTTP; else none is used"
    )
    client_cert: Annotated[Path | None, BeforeValidator(_path, json_schema_input_type=Path | SecretFile | None)] = (
        Field(
            None,
            description="certificate and key in one PEM file, presented to every server that asks for one; "
            "for PostgreSQL, sslcert and sslkey of its DSN hold before it, and the file must be private (chmod 600)",
        )
    )

    @field_validator("resolve")
    @classmethod
    def _are_addresses(cls, fixed: dict[str, str]) -> dict[str, str]:
        found = {}
        for name, address in fixed.items():
            try:
                found[name_of(endpoint_in(name))] = address
            except ValueError as error:
                message = f'"{name}" is no "host:port": {error}'
                raise ValueError(message) from error
            if not _is_address(address):
                message = f'what stands for "{name}" is no IP address'
                raise ValueError(message)
        return found


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
