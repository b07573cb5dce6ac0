"""Connections and HTTP exchanges, bounded in size and time.

httpx imports its own command line, and with it rich and Pygments, wherever those are there: a tenth of the time that a
run takes to start. Here it is imported without: None in `sys.modules` stands for a module that cannot be imported
(docs.python.org/3/reference/import.html#the-module-cache), for which httpx has a substitute.
"""

from __future__ import annotations

import sys

_COMMAND_LINE = "httpx._main"

if "httpx" not in sys.modules:
    sys.modules[_COMMAND_LINE] = None  # type: ignore[assignment]  # None stands for no module
    import httpx  # noqa: F401  # every module below finds it so

    del sys.modules[_COMMAND_LINE]
