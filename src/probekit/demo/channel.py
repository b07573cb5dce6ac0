"""The private channel to the shop's process: one line of JSON for a request, one for its answer."""

import json
import socket
from collections.abc import Mapping
from typing import Any

from probekit.demo.errors import DemoError
from probekit.demo.launcher import Server, tail

_ANSWERS_WITHIN = 20.0  # seconds; the first answer waits for imports and tables
_CHUNK = 65536


class Channel:
    """Requests to the shop's process, over a socket whose other end is its stdin."""

    def __init__(self, connection: socket.socket, application: Server) -> None:
        self._connection = connection
        self._application = application
        connection.settimeout(_ANSWERS_WITHIN)

    def ask(self, question: Mapping[str, Any]) -> Mapping[str, Any]:
        """The answer to a request.

        Raises:
            DemoError: the shop refuses the request, or has ended.
        """
        try:
            self._connection.sendall(json.dumps(question).encode() + b"\n")
            line = self._line()
        except OSError as error:  # a TimeoutError is one
            message = f"the shop's process does not answer ({type(error).__name__}){tail(self._application.log)}"
            raise DemoError(message) from error
        if not line.endswith(b"\n"):
            message = f"the shop's process has ended{tail(self._application.log)}"
            raise DemoError(message)
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise DemoError(answer["error"])
        return answer

    def _line(self) -> bytes:
        """One line, or the data before the other end closed."""
        line = b""
        while not line.endswith(b"\n") and (chunk := self._connection.recv(_CHUNK)):
            line += chunk
        return line
