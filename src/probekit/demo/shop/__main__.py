"""The shop's process: it reads settings and commands from stdin, a private channel, and ends with it."""

import asyncio
import contextlib
import json
import logging
import os
import secrets
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from probekit.demo import faults
from probekit.demo.certificate_names import GOOD
from probekit.demo.errors import DemoError
from probekit.demo.faults import Behaviour
from probekit.demo.ports import bind
from probekit.demo.shop.application import control_application, redirect_application, shop_application
from probekit.demo.shop.listeners import Listener, listen, tls_context
from probekit.demo.shop.log import log_to
from probekit.demo.shop.routes import Shop, warm
from probekit.demo.shop.seed import seed
from probekit.demo.shop.settings import Settings
from probekit.demo.shop.store import Store, StoreDownError

_log = logging.getLogger("probekit.demo.shop")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Running:
    """The shop and its listeners."""

    shop: Shop
    listeners: Mapping[str, Listener]


async def main() -> None:
    """Read the settings, start, and execute commands until the channel closes."""
    channel = socket.socket(fileno=os.dup(0))
    reader, writer = await asyncio.open_connection(sock=channel)
    first = await reader.readline()
    if not first:
        return
    settings = Settings(**json.loads(first))
    log_to(Path(settings.log))
    try:
        running = await _start(settings)
    except DemoError as error:
        _reply(writer, {"error": str(error)})
        return
    _reply(writer, {"ports": {name: listener.port for name, listener in running.listeners.items()}})
    async for line in reader:
        _reply(writer, await _obey(running, json.loads(line)))


def _reply(writer: asyncio.StreamWriter, answer: Mapping[str, Any]) -> None:
    writer.write(json.dumps(answer).encode() + b"\n")


async def _start(settings: Settings) -> _Running:
    store = Store(settings.database, settings.cache)
    context = tls_context(settings.certificates[GOOD])
    behaviour = Behaviour(serve_certificate=lambda name: context.load_cert_chain(settings.certificates[name]))
    shop = Shop(store=store, behaviour=behaviour, secret=secrets.token_bytes(32), folder=str(Path(settings.log).parent))
    https = bind(settings.https_port, "HTTPS")
    plain = bind(settings.plain_port, "plain HTTP")
    control = bind(settings.control_port, "the control")
    await seed(store, settings.passwords)
    await warm(store)
    listeners = {
        "https": listen(shop_application(shop, exempt_key=settings.exempt_key), https, context),
        "plain": listen(redirect_application(https.getsockname()[1], behaviour), plain),
        "control": listen(control_application(), control),
    }
    return _Running(shop=shop, listeners=listeners)


async def _obey(running: _Running, command: Mapping[str, Any]) -> Mapping[str, str]:
    _log.info("command.received", extra={"fields": command})
    if "close" in command:
        await asyncio.gather(*(running.listeners[name].close() for name in command["close"]))
    elif "renew" in command:
        await running.shop.store.renew()
    elif "repair" in command:
        return await _mend(running.shop)
    elif not running.shop.has_been_healthy:
        return {"error": "a fault needs a healthy target, and /health has not returned 200 yet"}
    else:
        with contextlib.suppress(StoreDownError):  # caused by an earlier fault
            await warm(running.shop.store)
        faults.plant(command["plant"], running.shop.behaviour)
    return {}


async def _mend(shop: Shop) -> Mapping[str, str]:
    """Restore the state at the start: healthy, with a warm cache."""
    faults.repair(shop.behaviour)
    await shop.store.renew()
    try:
        await warm(shop.store)
    except StoreDownError as error:
        return {"error": str(error)}
    return {}


if __name__ == "__main__":
    asyncio.run(main())
