"""A server that says the same to paths that cannot exist is known by it, whatever changes from answer to answer."""

from __future__ import annotations

from itertools import count

import pytest

from probekit.transport.client import Http
from probekit.transport.made_up import MadeUpPaths
from probekit.transport.urls import Address, Endpoint


@pytest.fixture
def asked(serve, http_reply):
    """What `answers_anything` says of a server of that behaviour, so often, and the paths it was asked for."""

    async def asked(reply, path="/health", *, follow=0, has_body=True, prefix="", times=1):
        seen = []

        async def act(reader, writer):
            seen.append((await reader.readuntil(b"\r\n\r\n")).split()[1].decode())
            answer = reply(seen[-1])
            if answer is not None:
                body, headers = answer if isinstance(answer, tuple) else (answer, {})
                writer.write(http_reply(body, **headers))
                await writer.drain()

        port, _ = await serve(act=act)
        http = Http(run="test", made_up=MadeUpPaths(prefix=prefix))
        client = http.probe_client(address=Address(Endpoint("app.test", port), "127.0.0.1"), timeout=1)
        url = f"http://app.test:{port}{path}"
        answer = await client.get(url, follow=follow)
        found = [await client.answers_anything(url, answer, follow=follow, has_body=has_body) for _ in range(times)]
        return found, seen[1:]

    return asked


def page(text: str) -> bytes:
    return f"<html><h1>We will be right back</h1><p>{text}</p></html>".encode()


numbers = count(1)


def nonce() -> str:
    return f"{next(numbers) * 7919:010x}"


@pytest.mark.parametrize(
    "reply",
    [
        lambda _path: b'{"status":"ok"}',
        lambda path: f"you asked for {path}".encode(),
        lambda _path: page(f"<script nonce='{nonce()}'></script>"),
        lambda path: page(f"{path} is not here; request {nonce()}"),
        lambda _path: f'{{"error": "database unreachable", "request": "{nonce()}"}}'.encode(),
        lambda _path: (
            f'{{"error": "gone", "at": "2026-11-28T21:{next(numbers) % 60:02d}:07.{next(numbers)}Z"}}'.encode()
        ),
        lambda path: '{"path": "PATH"}'.replace("PATH", path.replace("/", "\\/")).encode(),
        lambda path: page(f'<a href="/login?next={path.replace("/", "%2F")}">sign in</a>'),
        lambda _path: page('<a href="/health">health</a>'),  # a path of the page's own
        lambda _path: b"OK",
    ],
)
async def test_an_answer_that_paths_which_cannot_exist_get_too(asked, reply) -> None:
    assert (await asked(reply))[0] == [True]


@pytest.mark.parametrize(
    "reply",
    [
        lambda path: b'{"status":"ok"}' if path == "/health" else b'{"error":"not found"}',
        lambda path: b'{"status":"ok"}' if path == "/health" else (b'{"status":"ok"}', {"status": "404 Not Found"}),
        lambda path: b'{"status":"ok"}' if path == "/health" else (b'{"status":"ok"}', {"Content_Type": "text/html"}),
        lambda path: b'{"status":"ok"}' if path == "/health" else page(nonce()),
        lambda path: b"<h1>Shop</h1>" if path == "/health" else page(nonce()),
        lambda path: b'{"rows": 1}' if path == "/health" else f'{{"error": "{nonce()}"}}'.encode(),
    ],
)
async def test_an_answer_of_its_own(asked, reply) -> None:
    assert (await asked(reply))[0] == [False]


async def test_both_are_asked_once_a_run(asked) -> None:
    found, paths = await asked(lambda _path: b"OK", times=3)

    assert found == [True] * 3
    assert len(paths) == len(set(paths)) == 2
    assert all(path.startswith("/probekit-") for path in paths)


async def test_they_lie_below_the_path_of_the_target_itself(asked) -> None:
    found, paths = await asked(
        lambda path: b"" if path.startswith("/shop/") else b"another application", "/shop/health", prefix="/shop"
    )

    assert found == [True]
    assert all(path.startswith("/shop/probekit-") for path in paths)


async def test_redirects_are_followed_by_the_same_rule(asked) -> None:
    def reply(path):
        return b"sign in" if path == "/sign-in" else (b"", {"status": "302 Found", "Location": "/sign-in"})

    assert (await asked(reply, follow=1))[0] == [True]


async def test_a_head_has_no_body_to_compare(asked) -> None:
    assert (await asked(lambda path: path.encode(), has_body=False))[0] == [True]


async def test_a_question_without_an_answer_is_asked_again(asked) -> None:
    silent = iter([True])

    found, _ = await asked(lambda path: None if path != "/health" and next(silent, False) else b"OK", times=2)

    assert found == [False, True]
