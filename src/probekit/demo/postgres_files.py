"""Create a PostgreSQL cluster on disk: its owner, its programs, and the features of its build."""

import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from stat import S_IXOTH

from probekit.demo import binaries
from probekit.demo.errors import DemoError
from probekit.demo.launcher import Launcher, Owner

SUPERUSER = "postgres"
_NOBODY = "nobody"
_PREFIX = "probekit-postgres-"
_QUICK = 10.0  # seconds for a program that only prints a line


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """A folder initialised by initdb, with the settings to start it."""

    bin: Path
    folder: Path
    owner: Owner | None
    password: str = field(repr=False)
    has_tls: bool
    has_statements: bool
    options: tuple[str, ...]


def create(launcher: Launcher, *, certificate: Path | None) -> Cluster:
    """Run initdb in a folder of its own.

    PostgreSQL refuses to run as root: a cluster of root belongs to an unprivileged user, who needs access to
    folder and programs.
    """
    owner = _nobody() if os.geteuid() == 0 else None
    home = _home(launcher, owner)
    programs = _usable_programs(binaries.find(binaries.POSTGRES).parent, home, owner)
    password = secrets.token_urlsafe(24)
    _initialise(launcher, programs, home, password, owner)
    key = _own_copy(certificate, home, owner) if certificate is not None else None
    has_tls = key is not None and _can(programs, home, owner, "ssl=on")
    has_statements = any((programs.parent / "lib").rglob("pg_stat_statements.*"))
    options = [f"ssl_cert_file={key}", f"ssl_key_file={key}", "ssl=on"] if has_tls else []
    options += ["shared_preload_libraries=pg_stat_statements"] if has_statements else []
    return Cluster(
        bin=programs,
        folder=home / "data",
        owner=owner,
        password=password,
        has_tls=has_tls,
        has_statements=has_statements,
        options=tuple(word for option in options for word in ("-c", option)),
    )


def mark_as_standby(cluster: Cluster) -> None:
    """Make the cluster start as a standby next time."""
    _write(cluster.folder / "standby.signal", b"", cluster.owner)


def _home(launcher: Launcher, owner: Owner | None) -> Path:
    if owner is None:
        return launcher.make_folder(_PREFIX)
    try:
        return launcher.make_folder(_PREFIX, base=_open_place(), owner=owner)
    except DemoError as error:  # a container may have no user except root
        message = (
            f"PostgreSQL refuses to run as root, and a folder for '{_NOBODY}' cannot be made: start as another user"
        )
        raise DemoError(message) from error


def _initialise(launcher: Launcher, programs: Path, home: Path, password: str, owner: Owner | None) -> None:
    file = _write(home / "password", password.encode(), owner)
    command: list[str | Path] = [
        *(programs / "initdb", "--no-sync", "-E", "UTF8", "--locale=C", "-A", "scram-sha-256"),
        *("-U", SUPERUSER, f"--pwfile={file}", "-D", home / "data"),
    ]
    launcher.wait_done(launcher.start("initdb", command, folder=home, owner=owner))
    file.unlink()


def _nobody() -> Owner:
    try:
        entry = pwd.getpwnam(_NOBODY)
    except KeyError as error:
        message = f"PostgreSQL refuses to run as root, and there is no user '{_NOBODY}': start as another user"
        raise DemoError(message) from error
    return Owner(user=entry.pw_uid, group=entry.pw_gid)


def _open_place() -> Path:
    """A folder for temporary files that every user can enter; TMPDIR of root may not be one."""
    for place in (Path(tempfile.gettempdir()).resolve(), Path("/tmp"), Path("/var/tmp")):  # noqa: S108  # mkdtemp follows
        if place.is_dir() and all(folder.stat().st_mode & S_IXOTH for folder in (place, *place.parents)):
            return place
    message = (
        f"PostgreSQL refuses to run as root, and '{_NOBODY}' cannot enter any folder for temporary files: "
        "set TMPDIR to a folder that it can enter"
    )
    raise DemoError(message)


def _usable_programs(programs: Path, home: Path, owner: Owner | None) -> Path:
    """The folder of programs, or a copy where the owner cannot read the original (a virtual environment in /root)."""
    if owner is None or _run(programs, owner, home, "--version") is not None:
        return programs
    for part in ("bin", "lib", "share"):
        if (programs.parent / part).is_dir():
            shutil.copytree(programs.parent / part, home / "programs" / part, symlinks=True)
    for path in (home / "programs").rglob("*"):
        os.chown(path, owner.user, owner.group, follow_symlinks=False)
    os.chown(home / "programs", owner.user, owner.group)
    copy = home / "programs" / "bin"
    if _run(copy, owner, home, "--version") is None:
        message = f"PostgreSQL refuses to run as root, and '{_NOBODY}' can run neither {programs} nor a copy of it"
        raise DemoError(message)
    return copy


def _can(programs: Path, home: Path, owner: Owner | None, setting: str) -> bool:
    """Whether this build accepts a setting; -C reads the configuration without starting the server."""
    name = setting.partition("=")[0]
    return _run(programs, owner, home, "-C", name, "-c", setting, "-D", str(home / "data")) is not None


def _run(programs: Path, owner: Owner | None, home: Path, *arguments: str) -> str | None:
    """The output of `postgres` for these arguments; None where it cannot run or fails."""
    try:
        done = subprocess.run(  # noqa: S603  # the program of the server
            [programs / "postgres", *arguments],
            cwd=home,
            capture_output=True,
            check=True,
            text=True,
            timeout=_QUICK,
            user=owner.user if owner else None,
            group=owner.group if owner else None,
            extra_groups=[] if owner else None,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout


def _own_copy(certificate: Path, home: Path, owner: Owner | None) -> Path:
    return _write(home / "certificate.pem", certificate.read_bytes(), owner)


def _write(file: Path, content: bytes, owner: Owner | None) -> Path:
    """A file that only its owner can read: PostgreSQL refuses a key that others can read."""
    file.touch(mode=0o600)
    file.write_bytes(content)
    if owner is not None:
        os.chown(file, owner.user, owner.group)
    return file
