"""What a server's error replies mean, and who is to blame for them."""

from __future__ import annotations

import re
from typing import Final

from redis import exceptions

from probekit.probe import Address, Failure, ProbeFailedError, Reason
from probekit.transport.urls import SocketFile

SILENT: Final = (Reason.UNREACHABLE, Reason.TIMEOUT)
MEANINGS: Final = {
    "ASK": "another node of the cluster keeps that key",
    "BUSY": "a script keeps it busy",
    "CLUSTERDOWN": "its cluster is down",
    "LOADING": "it is still loading its data",
    "MASTERDOWN": "its master is out of reach",
    "MISCONF": "it cannot save its data",
    "MOVED": "another node of the cluster keeps that key",
    "NOREPLICAS": "too few replicas are in reach",
    "OOM": "its memory is full",
    "READONLY": "it is a read-only replica",
}
_WORDS: Final = {  # redis-py takes the word of these off the text
    exceptions.BusyLoadingError: "LOADING",
    exceptions.MovedError: "MOVED",
    exceptions.AskError: "ASK",
    exceptions.MasterDownError: "MASTERDOWN",
    exceptions.ClusterDownError: "CLUSTERDOWN",
    exceptions.OutOfMemoryError: "OOM",
    exceptions.ReadOnlyError: "READONLY",
}


class RefusedError(ProbeFailedError):
    """The server answered with an error; its text is left out, because a server may repeat what it was sent."""

    def __init__(self, word: str, command: str, address: Address | SocketFile) -> None:
        meaning = f"{word}: {MEANINGS[word]}" if word in MEANINGS else word
        super().__init__(Reason.BAD_RESPONSE, f"{address} answers {command} with {meaning}")
        self.word = word


def word_of(error: Exception) -> str:
    """The word that an error reply begins with; ERR where it has none."""
    known = next((word for kind, word in _WORDS.items() if isinstance(error, kind)), None)
    found = re.match(r"[A-Z]{2,15}\b", str(error))
    return known or (found[0] if found else "ERR")


def failure(error: ProbeFailedError) -> Failure:
    """No reading, for the reason of the error."""
    return Failure(reason=error.reason, detail=error.detail)


def unread(detail: str) -> Failure:
    """No reading, because the answer does not tell it."""
    return Failure(reason=Reason.BAD_RESPONSE, detail=detail)
