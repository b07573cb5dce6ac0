"""The meaning of a server's error replies."""

from __future__ import annotations

import re
from typing import Final

from redis import exceptions

from probekit.probe import Address, Failure, ProbeFailedError, Reason
from probekit.transport.urls import SocketFile

SILENT: Final = (Reason.UNREACHABLE, Reason.TIMEOUT)
MEANINGS: Final = {
    "ASK": "another node of the cluster holds that key",
    "BUSY": "it is busy with a script",
    "CLUSTERDOWN": "its cluster is down",
    "LOADING": "it is still loading its data",
    "MASTERDOWN": "its master is unreachable",
    "MISCONF": "it cannot save its data",
    "MOVED": "another node of the cluster holds that key",
    "NOREPLICAS": "too few replicas are reachable",
    "OOM": "its memory is full",
    "READONLY": "it is a read-only replica",
}
_WORDS: Final = {  # redis-py removes the word of these from the text
    exceptions.BusyLoadingError: "LOADING",
    exceptions.MovedError: "MOVED",
    exceptions.AskError: "ASK",
    exceptions.MasterDownError: "MASTERDOWN",
    exceptions.ClusterDownError: "CLUSTERDOWN",
    exceptions.OutOfMemoryError: "OOM",
    exceptions.ReadOnlyError: "READONLY",
}


class RefusedError(ProbeFailedError):
    """The server answered with an error; the text is omitted, because a server may repeat what it was sent."""

    def __init__(self, word: str, command: str, address: Address | SocketFile) -> None:
        meaning = f"{word}: {MEANINGS[word]}" if word in MEANINGS else word
        super().__init__(Reason.BAD_RESPONSE, f"{address} answers {command} with {meaning}")
        self.word = word


def word_of(error: Exception) -> str:
    """Return the first word of an error reply; ERR where it has none."""
    known = next((word for kind, word in _WORDS.items() if isinstance(error, kind)), None)
    found = re.match(r"[A-Z]{2,15}\b", str(error))
    return known or (found[0] if found else "ERR")


def failure(error: ProbeFailedError) -> Failure:
    """Return the failure for an error."""
    return Failure(reason=error.reason, detail=error.detail)


def unread(detail: str) -> Failure:
    """Return the failure for an answer without the value."""
    return Failure(reason=Reason.BAD_RESPONSE, detail=detail)
