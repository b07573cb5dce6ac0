"""The shop's tables and their initial content."""

import asyncio
from collections.abc import Mapping

from probekit.demo.shop.accounts import hashed
from probekit.demo.shop.store import Store

ADMIN = "ana"
_ORDERS = 240
_PATIENCE = 15.0  # seconds; a store may start slowly on a loaded machine

_SCHEMA = (
    """
    create table account (
        id integer generated always as identity primary key,
        name text not null unique,
        role text not null check (role in ('admin', 'customer')),
        password_hash text not null
    )
    """,
    """
    create table purchase (
        id integer generated always as identity primary key,
        account_id integer not null references account (id),
        product text not null,
        quantity integer not null check (quantity > 0),
        total_cents integer not null check (total_cents >= 0),
        placed_on date not null
    )
    """,
    "create index purchase_account_id on purchase (account_id)",
    "create index purchase_placed_on on purchase (placed_on)",
    "grant select (id) on account to probekit",  # the keys are enough to find orphans
    "grant select (id, account_id, quantity, total_cents) on purchase to probekit",
)

_PURCHASES = """
    insert into purchase (account_id, product, quantity, total_cents, placed_on)
    select 1 + n %% (select count(*) from account),
           (array['lamp', 'chair', 'table', 'kettle', 'teapot', 'shelf', 'mirror', 'clock'])[1 + n %% 8],
           1 + n %% 3,
           1990 * (1 + n %% 3),
           date '2026-01-01' + n / 4
    from generate_series(1, %s) as n
"""


async def seed(store: Store, passwords: Mapping[str, str]) -> None:
    """Create the tables and fill them: one account for each password, and some orders."""
    hashes = await asyncio.gather(*(asyncio.to_thread(hashed, password) for password in passwords.values()))
    async with store.connection(within=_PATIENCE) as connection:
        for statement in _SCHEMA:
            await connection.execute(statement)
        for name, password_hash in zip(passwords, hashes, strict=True):
            role = "admin" if name == ADMIN else "customer"
            await connection.execute(
                "insert into account (name, role, password_hash) values (%s, %s, %s)", (name, role, password_hash)
            )
        await connection.execute(_PURCHASES, (_ORDERS,))
        await connection.execute("analyze")
