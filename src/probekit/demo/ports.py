"""Ports of loopback: bound, free, or refused with a sentence that names them."""

import errno
import socket

from probekit.demo.errors import DemoError

LOOPBACK = "127.0.0.1"


def bind(port: int, purpose: str) -> socket.socket:
    """A socket bound to a port, 0 being any free one.

    Raises:
        DemoError: something else listens there, or it is not ours to use.
    """
    # asyncio switches Nagle's algorithm off for sockets that say they are TCP; else each answer takes 40 ms more
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(
        socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
    )  # as servers do: a closed connection does not hold a port
    try:
        bound.bind((LOOPBACK, port))
    except OSError as error:
        bound.close()
        state = "in use" if error.errno == errno.EADDRINUSE else f"not available ({error.strerror})"
        message = f"port {port} for {purpose} is {state}"
        raise DemoError(message) from error
    return bound


def free_port() -> int:
    """A port that nothing listens on at this moment."""
    with bind(0, "any purpose") as bound:
        port: int = bound.getsockname()[1]
    return port


def require_free(port: int, purpose: str) -> None:
    """Raise DemoError where a port is in use."""
    bind(port, purpose).close()
