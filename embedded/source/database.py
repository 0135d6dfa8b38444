"""The embedded relational source: tables that a Glue job reads over JDBC, with a user and a password."""

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from embedded.source.columns import Rows, as_table, definition, quoted, write_import_file
from embedded.source.derby import DRIVER, DatabaseError, session

_USER = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,29}")


class EmbeddedDatabase:
    """One Derby database in a folder. Each call is a Java process of about two seconds.

    Args:
        folder: Where the database lies; made by the first write.
        user: Its owner, in whose schema the tables lie.
        password: Asked of everyone who connects, from the first write on.

    Raises:
        ValueError: The user or the folder cannot be part of a JDBC URL.
    """

    def __init__(self, folder: Path, *, user: str, password: str) -> None:
        if not _USER.fullmatch(user):
            raise ValueError(f"database user {user!r}: use a letter, then letters, digits and _, at most 30")
        if ";" in str(folder):
            raise ValueError(f"database folder {str(folder)!r}: a JDBC URL cannot hold a semicolon")
        self._folder = folder.absolute()
        self._user, self._password = user, password
        self._schema = user.upper()  # Derby folds a user's name as it folds any identifier

    @property
    def jdbc_url(self) -> str:
        """What a Glue connection needs; the password is not in it."""
        return f"jdbc:derby:{self._folder};create=true"

    @property
    def driver(self) -> str:
        """The JDBC driver's class."""
        return DRIVER

    def write(self, table: str, rows: Rows, *, mode: Literal["overwrite", "append"] = "overwrite") -> int:
        """Load rows in bulk; `overwrite` makes the table anew with the rows' own column types.

        Returns:
            How many rows were written.

        Raises:
            DatabaseError: The database refused, for example because an appended row does not fit.
        """
        content = as_table(rows)
        with tempfile.TemporaryDirectory(prefix="import-") as scratch, self._session() as connection:
            statement = connection.createStatement()
            if mode == "overwrite":
                if table in self._tables(connection):
                    statement.execute(f"DROP TABLE {quoted(table)}")
                statement.execute(f"CREATE TABLE {quoted(table)} ({definition(content)})")
            elif set(self._columns(connection, table)) != set(content.column_names):
                raise DatabaseError(f"cannot append to {table!r}: it has not exactly the columns of these rows")
            path = Path(scratch) / "rows.csv"
            write_import_file(content.select(self._columns(connection, table)), path)
            load = connection.prepareCall("CALL SYSCS_UTIL.SYSCS_IMPORT_TABLE(?, ?, ?, ',', '\"', 'UTF-8', 0)")
            for position, value in enumerate((self._schema, table, str(path)), start=1):
                load.setString(position, value)
            load.execute()
        return int(content.num_rows)

    def count(self, table: str) -> int:
        """How many rows a table holds."""
        return int(self.query(f"SELECT COUNT(*) FROM {quoted(table)}")[0][0])

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a SELECT; dates and times come as text."""
        with self._session() as connection:
            result = connection.createStatement().executeQuery(sql)
            width = result.getMetaData().getColumnCount()
            rows = []
            while result.next():
                rows.append(tuple(_plain(result.getObject(position + 1)) for position in range(width)))
            return rows

    def _tables(self, connection: Any) -> set[str]:
        result = connection.getMetaData().getTables(None, self._schema, None, None)
        names = set()
        while result.next():
            names.add(str(result.getString("TABLE_NAME")))
        return names

    def _columns(self, connection: Any, table: str) -> list[str]:
        statement = connection.prepareStatement(f"SELECT * FROM {quoted(table)}")
        shape = statement.getMetaData()
        names = [str(shape.getColumnName(position + 1)) for position in range(shape.getColumnCount())]
        statement.close()
        return names

    @contextmanager
    def _session(self) -> Iterator[Any]:
        new = not self._folder.exists()
        self._folder.parent.mkdir(parents=True, exist_ok=True)
        log = self._folder.with_name(self._folder.name + ".log")
        with session(url=self.jdbc_url, user=self._user, password=self._password, log=log) as connection:
            if new:
                # Its first user turns on Derby's own authentication: from the next start on, the password counts.
                create = connection.prepareCall("CALL SYSCS_UTIL.SYSCS_CREATE_USER(?, ?)")
                create.setString(1, self._schema)
                create.setString(2, self._password)
                create.execute()
            yield connection


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, bool | int | float | str) else str(value.toString())
