"""Real servers of the engines that run here: each in a temporary folder, on a free local port, with a password."""

import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

HOST = "127.0.0.1"
PASSWORD = "baton-Tests-0nly"
START_LIMIT = 60.0
STOP_LIMIT = 20.0
JARS = [Path("/usr/share/java/postgresql.jar"), Path("/usr/share/java/mariadb-java-client.jar")]
PACKAGES = "postgresql-15 mariadb-server-core redis-server libpostgresql-jdbc-java libmariadb-java"


@dataclass(frozen=True, kw_only=True)
class Server:
    """A server that answers, and the login that may do everything in its database."""

    port: int
    user: str
    password: str = PASSWORD
    url: str = ""
    driver: str = ""

    def execute(self, spark: Any, statements: Sequence[str]) -> None:
        """Run statements of SQL through the driver that Spark has."""
        jvm: Any = spark._jvm
        properties = jvm.java.util.Properties()
        properties.setProperty("user", self.user)
        properties.setProperty("password", self.password)
        loader = jvm.Thread.currentThread().getContextClassLoader()
        driver = jvm.java.lang.Class.forName(self.driver, True, loader).newInstance()
        connection = driver.connect(self.url, properties)
        try:
            statement = connection.createStatement()
            for text in statements:
                statement.execute(text)
        finally:
            connection.close()

    def fill(self, spark: Any, *, table: str, ddl: str, rows: Sequence[str]) -> None:
        """Make a table anew; each row is the text between the parentheses of its VALUES."""
        inserts = [f"INSERT INTO {table} VALUES {', '.join(f'({row})' for row in rows)}"] if rows else []
        self.execute(spark, [f"DROP TABLE IF EXISTS {table}", f"CREATE TABLE {table} ({ddl})", *inserts])


def need(*programs: str | Path) -> list[str]:
    """Where these programs are. A test that misses one says so: it fails where CI is true, and is skipped elsewhere."""
    found = [shutil.which(str(program), path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin") for program in programs]
    absent = [str(program) for program, path in zip(programs, found, strict=True) if path is None]
    if absent:
        sentence = f"{', '.join(absent)}: not installed; `make servers` as root installs the Debian packages {PACKAGES}"
        if os.environ.get("CI") == "true":
            pytest.fail(sentence)
        pytest.skip(sentence)
    return [str(path) for path in found]


def driver_jars() -> list[str]:
    """The drivers that this machine has, for Spark's class path."""
    return [str(jar) for jar in JARS if jar.is_file()]


def need_jar(jar: Path) -> None:
    if not jar.is_file():
        need(jar)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0


@contextmanager
def running(command: Sequence[str], *, port: int, folder: Path, ready: Callable[[], bool]) -> Iterator[None]:
    """The program, from when it is ready to the end of the block."""
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        deadline = time.monotonic() + START_LIMIT
        while not ready():
            if process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"{command[0]} did not start: {log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        try:
            process.wait(STOP_LIMIT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def as_user(name: str, folder: Path) -> tuple[str, list[str]]:
    """The user to run as, and how: a database refuses root, which gives it a user and the folder instead."""
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid()).pw_name, []
    account = pwd.getpwnam(name)
    for path in (folder, *folder.rglob("*")):
        os.chown(path, account.pw_uid, account.pw_gid)
    for parent in folder.parents:  # pytest's own folders let nobody else through
        if parent.stat().st_uid == 0 and parent != Path("/") and "pytest" in str(parent):
            parent.chmod(0o711)
    return name, ["setpriv", f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups", "--"]


@contextmanager
def postgresql(folder: Path) -> Iterator[Server]:
    """PostgreSQL with an empty database."""
    binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    places = [str(path) for path in binaries[-1:]] or ["postgresql"]
    initdb, postgres = need(f"{places[0]}/initdb", f"{places[0]}/postgres")
    need_jar(JARS[0])
    secret = folder / "password"
    secret.write_text(PASSWORD)
    _, run = as_user("postgres", folder)
    data, port = folder / "data", free_port()
    options = ["-D", str(data), "-U", "baton", "-A", "scram-sha-256", f"--pwfile={secret}", "-E", "UTF8", "--no-locale"]
    subprocess.run([*run, initdb, "--no-sync", *options], check=True, cwd=folder, capture_output=True)
    command = [*run, postgres, "-D", str(data), "-h", HOST, "-p", str(port), "-k", str(folder), "-c", "fsync=off"]
    with running(command, port=port, folder=folder, ready=lambda: answers(port) and _accepts(places[0], port)):
        url = f"jdbc:postgresql://{HOST}:{port}/postgres"
        yield Server(port=port, user="baton", url=url, driver="org.postgresql.Driver")


def _accepts(binaries: str, port: int) -> bool:
    return not subprocess.run([f"{binaries}/pg_isready", "-q", "-h", HOST, "-p", str(port)], check=False).returncode


@contextmanager
def mariadb(folder: Path) -> Iterator[Server]:
    """MariaDB with the empty database `shop`."""
    install, daemon = need("mariadb-install-db", "mariadbd")
    need_jar(JARS[1])
    start = folder / "start.sql"
    start.write_text(
        f"CREATE DATABASE shop CHARACTER SET utf8mb4; CREATE USER baton@'{HOST}' IDENTIFIED BY '{PASSWORD}';\n"
        f"GRANT ALL ON shop.* TO baton@'{HOST}';\n"
    )
    data, port = folder / "data", free_port()
    data.mkdir()
    user, run = as_user("nobody", folder)
    common = ["--no-defaults", f"--datadir={data}"]
    made = [*run, install, *common, f"--user={user}", "--skip-test-db", "--auth-root-authentication-method=normal"]
    subprocess.run(made, check=True, cwd=folder, capture_output=True)
    options = {
        "user": user,
        "bind-address": HOST,
        "port": str(port),
        "socket": str(folder / "s"),
        "pid-file": str(folder / "pid"),
        "init-file": str(start),
        "innodb-flush-log-at-trx-commit": "0",
    }
    command = [*run, daemon, *common, *(f"--{name}={value}" for name, value in options.items())]
    with running(command, port=port, folder=folder, ready=lambda: answers(port)):
        url = f"jdbc:mariadb://{HOST}:{port}/shop"
        yield Server(port=port, user="baton", url=url, driver="org.mariadb.jdbc.Driver")


@contextmanager
def redis_server(folder: Path) -> Iterator[Server]:
    """Redis that keeps nothing on disk."""
    (program,) = need("redis-server")
    port = free_port()
    options: Mapping[str, str] = {
        "bind": HOST,
        "port": str(port),
        "requirepass": PASSWORD,
        "save": "",
        "appendonly": "no",
        "dir": str(folder),
    }
    command = [program, *(part for name, value in options.items() for part in (f"--{name}", value))]
    with running(command, port=port, folder=folder, ready=lambda: answers(port)):
        yield Server(port=port, user="default")
