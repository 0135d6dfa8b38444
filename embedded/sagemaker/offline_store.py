"""The offline store: what is put into a group, gathered and written to S3 as Parquet, laid out as the service does."""

import io
import logging
import secrets
import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from embedded.sagemaker.feature_values import typed, types_of
from embedded.sagemaker.store import now

LOGGER = logging.getLogger(__name__)
Row = dict[str, Any]

_SECONDS = 1.0
"""How long rows gather. AWS takes up to fifteen minutes."""
_MOST = 5_000


class OfflineStore:
    """Gathers rows and writes them on a thread of its own, so that no caller waits for S3."""

    def __init__(self, *, client: Callable[[str], Any]) -> None:
        self._client = client
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._rows: dict[str, tuple[Mapping[str, Any], list[Row]]] = {}
        self._timer: threading.Timer | None = None

    def add(self, group: Mapping[str, Any], values: Mapping[str, str], *, since: datetime, deleted: bool) -> None:
        """Add a row; the partition is that of its event time."""
        types = types_of(group)
        row: Row = {name: typed(text, types[name], name) for name, text in values.items()}
        row |= {"api_invocation_time": now(), "is_deleted": deleted}
        root = group["OfflineStoreConfig"]["S3StorageConfig"]["ResolvedOutputS3Uri"]
        folder = f"{root}/{since:year=%Y/month=%m/day=%d/hour=%H}"
        with self._lock:
            _, rows = self._rows.setdefault(folder, (group, []))
            rows.append(row)
            full = len(rows) >= _MOST
            if self._timer is None:
                self._timer = threading.Timer(_SECONDS, self.flush)
                self._timer.daemon = True
                self._timer.start()
        if full:
            self.flush()

    def flush(self) -> None:
        """Write what has gathered."""
        with self._writing:
            with self._lock:
                gathered, self._rows = self._rows, {}
                timer, self._timer = self._timer, None
            if timer is not None:
                timer.cancel()
            for folder, (group, rows) in gathered.items():
                try:
                    self._write(folder, group, rows)
                except Exception:
                    LOGGER.exception("%s rows of %s did not reach their offline store", len(rows), folder)

    def close(self) -> None:
        """Write no more: the front door that S3 lies behind is closing."""
        with self._lock:
            timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def _write(self, folder: str, group: Mapping[str, Any], rows: list[Row]) -> None:
        # Imported here: a control plane whose groups get no record needs no Parquet.
        import pyarrow as pa
        import pyarrow.parquet as pq

        kinds = {"Integral": pa.int64(), "Fractional": pa.float64(), "String": pa.string()}
        written = now()
        moments = pa.timestamp("ms", tz="UTC")
        fields = [("write_time", moments), ("api_invocation_time", moments), ("is_deleted", pa.bool_())]
        fields += [(name, kinds[kind]) for name, kind in types_of(group).items()]
        table = pa.Table.from_pylist([{**row, "write_time": written} for row in rows], schema=pa.schema(fields))
        content = io.BytesIO()
        pq.write_table(table, content)
        storage = group["OfflineStoreConfig"]["S3StorageConfig"]
        key = storage.get("KmsKeyId")
        place = urlsplit(f"{folder}/{written:%Y%m%dT%H%M%SZ}_{secrets.token_hex(8)}.parquet")
        self._client("s3").put_object(
            Bucket=place.netloc,
            Key=place.path.lstrip("/"),
            Body=content.getvalue(),
            **({"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key} if key else {}),
        )
