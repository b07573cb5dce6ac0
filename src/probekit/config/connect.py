"""The settings for reaching a target."""

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
    """A file that contains a secret, written like every other reference."""

    file: Path = Field(description="Path of the file.")


def _path(value: object) -> object:
    """The path of `{ file = "PATH" }`."""
    return value["file"] if isinstance(value, Mapping) and value.keys() == {"file"} else value


class Connect(Settings):
    """How the target is reached."""

    ca: Path | None = Field(
        None, description="File of CA certificates in PEM, trusted in addition to the system's store."
    )
    resolve: dict[str, str] = Field(
        {}, description='Fixed addresses: "host:port" to the IP address to use instead of resolving the name.'
    )
    headers: dict[str, SecretRef] = Field(
        {}, description="Headers sent to the origin of base_url only. Each value is a reference to a secret."
    )
    family: Family = Field("any", description="Address family of connections: any, ipv4 or ipv6.")
    proxy: SecretRef | None = Field(
        None,
        description="Reference to the URL of the HTTP proxy, http://USER:PASSWORD@HOST:PORT. "
        "Without it, no proxy is used.",
    )
    client_cert: Annotated[Path | None, BeforeValidator(_path, json_schema_input_type=Path | SecretFile | None)] = (
        Field(
            None,
            description="PEM file with client certificate and key, presented to every server that requests one. "
            "For PostgreSQL, sslcert and sslkey of its DSN take precedence, and the file must be private (chmod 600).",
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
                message = f'"{name}" is not "host:port": {error}'
                raise ValueError(message) from error
            if not _is_address(address):
                message = f'the value of "{name}" is not an IP address'
                raise ValueError(message)
        return found


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
