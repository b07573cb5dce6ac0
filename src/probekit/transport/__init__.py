"""Connections and HTTP exchanges, bounded in size and time.

Where rich is installed, httpx imports its own command line with rich and Pygments, a tenth of the start-up time. It is
imported without that here: None in `sys.modules` makes an import fail
(docs.python.org/3/reference/import.html#the-module-cache), and httpx has a substitute for that case.
"""

from __future__ import annotations

import sys

_COMMAND_LINE = "httpx._main"

if "httpx" not in sys.modules:
    sys.modules[_COMMAND_LINE] = None  # type: ignore[assignment]  # None makes the import fail
    import httpx  # noqa: F401  # imported here first

    del sys.modules[_COMMAND_LINE]
