"""Real servers of the engines that run here: each in a temporary folder, on a free local port, with a password."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HOST = "127.0.0.1"
PASSWORD = "baton-Tests-0nly"
START_LIMIT = 60.0
STOP_LIMIT = 20.0
JARS = [Path("/usr/share/java/postgresql.jar"), Path("/usr/share/java/mariadb-java-client.jar")]
# What mariadb-install-db feeds the server; its own helper programs come with the client's package alone.
MARIADB_TABLES = ("mysql_system_tables.sql", "mysql_performance_tables.sql", "mysql_system_tables_data.sql")
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


class Absent(Exception):
    """A server cannot be started here; the text says what to install."""


def need(*programs: str | Path) -> list[str]:
    """Where these programs or files are.

    Raises:
        Absent: One of them is not installed.
    """
    path = f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin"
    found = {str(name): name if Path(name).is_file() else shutil.which(str(name), path=path) for name in programs}
    absent = [name for name, place in found.items() if place is None]
    if absent:
        raise Absent(f"{', '.join(absent)}: not installed; as root, `make servers` installs the packages {PACKAGES}")
    return [str(place) for place in found.values()]


def driver_jars() -> list[str]:
    """The drivers that this machine has, for Spark's class path."""
    return [str(jar) for jar in JARS if jar.is_file()]


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
                raise RuntimeError(f"{command[0]} did not start: {log.read_text(errors='replace')[-2000:]}")
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
    for parent in folder.parents:  # temporary folders let nobody else through
        if parent.is_relative_to(tempfile.gettempdir()) and parent != Path(tempfile.gettempdir()):
            parent.chmod(0o711)
    return name, ["setpriv", f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups", "--"]


@contextmanager
def postgresql(folder: Path) -> Iterator[Server]:
    """PostgreSQL with an empty database."""
    binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    places = [str(path) for path in binaries[-1:]] or ["postgresql"]
    initdb, postgres, _ = need(f"{places[0]}/initdb", f"{places[0]}/postgres", JARS[0])
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
    scripts = Path("/usr/share/mysql")
    daemon, *_ = need("mariadbd", JARS[1], *(scripts / name for name in MARIADB_TABLES))
    start = folder / "start.sql"
    statements = (  # a line each, or the server skips them
        "CREATE DATABASE shop CHARACTER SET utf8mb4",
        f"CREATE USER baton@'{HOST}' IDENTIFIED BY '{PASSWORD}'",
        f"GRANT ALL ON shop.* TO baton@'{HOST}'",
    )
    start.write_text("".join(f"{statement};\n" for statement in statements))
    data, port = folder / "data", free_port()
    data.mkdir()
    user, run = as_user("nobody", folder)
    common = ["--no-defaults", f"--datadir={data}", f"--user={user}"]
    tables = "".join((scripts / name).read_text() for name in MARIADB_TABLES)
    subprocess.run(
        [*run, daemon, *common, "--bootstrap"],
        input=f"CREATE DATABASE mysql;\nUSE mysql;\nSET @auth_root_socket=NULL;\n{tables}",
        text=True,
        check=True,
        cwd=folder,
        capture_output=True,
    )
    options = {
        "bind-address": HOST,
        "skip-name-resolve": "1",
        "port": str(port),
        "socket": str(folder / "s"),
        "pid-file": str(folder / "pid"),
        "init-file": str(start),
        "innodb-flush-log-at-trx-commit": "0",
    }
    command = [*run, daemon, *common, *(f"--{name}={value}" for name, value in options.items())]
    with running(command, port=port, folder=folder, ready=lambda: answers(port)):
        # Spark quotes names as this engine does only behind MySQL's scheme, which the driver takes for its own too.
        url = f"jdbc:mysql://{HOST}:{port}/shop"
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
