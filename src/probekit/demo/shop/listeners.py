"""Servers on bound sockets that can be closed on command."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass

import uvicorn
from starlette.types import ASGIApp


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """A running server and its port."""

    port: int
    server: uvicorn.Server
    task: asyncio.Task[None]

    async def close(self) -> None:
        """Stop listening and drop open requests."""
        self.server.should_exit = True
        await self.task
        for connection in list(self.server.server_state.connections):
            connection.transport.abort()  # a handler that never answers would hold it open


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Do not handle signals: three servers share this process, and its keeper ends it."""
        yield


def listen(application: ASGIApp, bound: socket.socket, context: ssl.SSLContext | None = None) -> Listener:
    """Serve an application on a bound socket, from the next iteration of the loop on."""
    configuration = uvicorn.Config(
        application,
        loop="asyncio",
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,  # otherwise a client on loopback could choose its address
        server_header=False,
        timeout_graceful_shutdown=0,
    )
    configuration.load()
    configuration.ssl = context
    server = _Server(configuration)
    return Listener(
        port=bound.getsockname()[1], server=server, task=asyncio.get_running_loop().create_task(server.serve([bound]))
    )


def tls_context(certificate: str) -> ssl.SSLContext:
    """A server's TLS context without session tickets: a resumed session would hide a changed certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_TICKET
    context.num_tickets = 0
    context.set_alpn_protocols(["http/1.1"])
    context.load_cert_chain(certificate)
    return context
