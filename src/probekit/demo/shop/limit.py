"""The rate limit of each client: a sliding window in this process."""

import hmac
import math
import time
from collections import deque
from collections.abc import Callable

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LIMIT = 30
WINDOW = 10.0  # seconds
EXEMPT_HEADER = "X-Demo-Key"
_CLIENTS = 1024  # windows kept before the stale ones are dropped


class RateLimit:
    """Answers 429 to requests that exceed the limit within any window."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        exempt_key: str,
        is_off: Callable[[], bool] = lambda: False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._app = app
        self._exempt_key = exempt_key.encode()
        self._is_off = is_off
        self._clock = clock
        self.windows: dict[str, deque[float]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on or refuse it, with rate limit headers in the answer."""
        given = Headers(scope=scope).get(EXEMPT_HEADER, "")
        is_exempt = hmac.compare_digest(given.encode(), self._exempt_key)
        if scope["type"] != "http" or is_exempt or self._is_off():
            await self._app(scope, receive, send)
            return
        client = scope["client"][0] if scope["client"] else "unknown"
        is_allowed, headers = self._take(client)

        async def send_with_limit(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(headers)
            await send(message)

        answer = self._app if is_allowed else JSONResponse({"error": "too many requests"}, status_code=429)
        await answer(scope, receive, send_with_limit)

    def _take(self, client: str) -> tuple[bool, dict[str, str]]:
        """Whether this client is within the limit, and the rate limit headers."""
        now = self._clock()
        if len(self.windows) > _CLIENTS:
            self.windows = {name: seen for name, seen in self.windows.items() if seen and seen[-1] > now - WINDOW}
        seen = self.windows.setdefault(client, deque())
        while seen and seen[0] <= now - WINDOW:
            seen.popleft()
        is_allowed = len(seen) < LIMIT
        if is_allowed:
            seen.append(now)
        wait = str(math.ceil(seen[0] + WINDOW - now))
        headers = {
            "RateLimit-Limit": str(LIMIT),
            "RateLimit-Remaining": str(LIMIT - len(seen)),
            "RateLimit-Reset": wait,
        }
        return is_allowed, headers if is_allowed else {**headers, "Retry-After": wait}
