"""Servers that demand a client certificate, and clients that have none, a wrong one or the right one."""

from __future__ import annotations

import socket
import ssl
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import trustme

from probekit.transport.trust import Trust

VERSIONS = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)
Act = Callable[[Any, Any], Awaitable[None]]


@dataclass(frozen=True)
class Mutual:
    """One authority for both sides, another for the wrong certificate; their files lie in a folder of their own."""

    folder: Path

    def __post_init__(self) -> None:
        authorities = {"right": trustme.CA(), "wrong": trustme.CA()}
        for name, authority in authorities.items():
            file = self.folder / f"{name}.pem"
            authority.issue_cert("probe@example.test").private_key_and_cert_chain_pem.write_to_path(file)
            file.chmod(0o600)
        authorities["right"].cert_pem.write_to_path(self.folder / "ca.pem")
        leaf = authorities["right"].issue_cert("127.0.0.1", "localhost", "app.test")
        leaf.private_key_and_cert_chain_pem.write_to_path(self.folder / "server.pem")

    def trust(self, certificate: str | None) -> Trust:
        """What a client believes and presents: "right", "wrong" or None."""
        file = self.folder / f"{certificate}.pem" if certificate else None
        return Trust(ca=self.folder / "ca.pem", client_cert=file)

    def server(self, version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> ssl.SSLContext:
        """A server's context that demands a certificate of the right authority."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = context.maximum_version = version
        context.load_cert_chain(self.folder / "server.pem")
        context.load_verify_locations(self.folder / "ca.pem")
        context.verify_mode = ssl.CERT_REQUIRED
        return context

    def ends(self, version: ssl.TLSVersion, how: str) -> Act:
        """A peer that asks for a certificate and then ends the connection without a word: by "close" or "reset"."""
        context = self.server(version)

        async def act(reader: Any, writer: Any) -> None:
            received, due = ssl.MemoryBIO(), ssl.MemoryBIO()
            session = context.wrap_bio(received, due, server_side=True)
            received.write(await reader.read(65536))
            try:
                session.do_handshake()
            except ssl.SSLWantReadError:
                writer.write(due.read())
                await writer.drain()
            await reader.read(65536)  # the client's part of the handshake
            if how == "reset":
                linger = struct.pack("ii", 1, 0)
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)

        return act
