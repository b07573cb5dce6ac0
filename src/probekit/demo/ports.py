"""Bind and check ports of loopback."""

import errno
import socket

from probekit.demo.errors import DemoError

LOOPBACK = "127.0.0.1"


def bind(port: int, purpose: str) -> socket.socket:
    """A socket bound to a port; 0 is any free one.

    Raises:
        DemoError: the port is in use, or this user may not use it.
    """
    # asyncio disables Nagle's algorithm for sockets with protocol TCP; otherwise each answer takes 40 ms longer
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(
        socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
    )  # as servers do: a closed connection does not block a port
    try:
        bound.bind((LOOPBACK, port))
    except OSError as error:
        bound.close()
        state = "in use" if error.errno == errno.EADDRINUSE else f"not available ({error.strerror})"
        message = f"port {port} for {purpose} is {state}"
        raise DemoError(message) from error
    return bound


def free_port() -> int:
    """A port that is free at this moment."""
    with bind(0, "any purpose") as bound:
        port: int = bound.getsockname()[1]
    return port


def require_free(port: int, purpose: str) -> None:
    """Raise DemoError where a port is in use."""
    bind(port, purpose).close()
