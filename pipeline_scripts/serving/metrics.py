"""What an endpoint says of its traffic: totals of some seconds, as one line of CloudWatch's embedded metric format.

CloudWatch makes metrics of such lines in a container's log: without a call, which a container that has no network could
not make. A request only adds to the totals, and nothing of a row is in them. Share and mean are of the rows of one
line, so an average over lines weighs quiet seconds as much as busy ones.
"""

import atexit
import json
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from pipeline_scripts.serving.answer import Prediction

NAMESPACE = "Baton/Serving"
_LINE_EVERY_S = 10.0
_UNITS = {
    "Rows": "Count",
    "RefusedRequests": "Count",
    "UnseenCategories": "Count",
    "MeanAnswer": "None",
    "PositiveShare": "None",
}


@dataclass
class _Totals:
    rows: int = 0
    refused: int = 0
    unseen: int = 0
    answers: float = 0.0
    positive: int | None = None  # None: of a regression

    def values(self) -> dict[str, float]:
        values: dict[str, float] = {
            "Rows": self.rows,
            "RefusedRequests": self.refused,
            "UnseenCategories": self.unseen,
        }
        if self.rows:
            values["MeanAnswer"] = self.answers / self.rows
            if self.positive is not None:
                values["PositiveShare"] = self.positive / self.rows
        return values


def print_line(line: str) -> None:
    """Print a line at once and whole: workers share the output."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


class Metrics:
    """The totals of this process since its last line.

    Args:
        endpoint: The dimension EndpointName; None outside an endpoint, where nothing is counted.
        emit: Takes a line.
        every_s: Seconds from the first request after a line to the next line.
    """

    def __init__(
        self, *, endpoint: str | None, emit: Callable[[str], None] = print_line, every_s: float = _LINE_EVERY_S
    ) -> None:
        self._endpoint, self._emit, self._every_s = endpoint, emit, every_s
        self._totals: _Totals | None = None
        self._lock = threading.Lock()
        if endpoint:
            atexit.register(self.flush)

    def answered(self, prediction: Prediction, *, unseen: int) -> None:
        """Count an answer; `unseen` is how many of its categories training never saw."""
        if not self._endpoint:
            return
        with self._lock:
            totals = self._open()
            totals.rows += len(prediction.answers)
            totals.unseen += unseen
            totals.answers += sum(prediction.answers.tolist())
            if prediction.threshold is not None:
                totals.positive = (totals.positive or 0) + sum(prediction.labels)

    def refused(self) -> None:
        """Count a refusal."""
        if self._endpoint:
            with self._lock:
                self._open().refused += 1

    def flush(self) -> None:
        """Write the totals, if there was a request, and begin anew."""
        with self._lock:
            totals, self._totals = self._totals, None
        if totals is not None:
            self._emit(self._line(totals.values()))

    def _open(self) -> _Totals:
        if self._totals is None:
            self._totals = _Totals()
            timer = threading.Timer(self._every_s, self.flush)
            timer.daemon = True
            timer.start()
        return self._totals

    def _line(self, values: dict[str, float]) -> str:
        directive = {
            "Namespace": NAMESPACE,
            "Dimensions": [["EndpointName"]],
            "Metrics": [{"Name": name, "Unit": _UNITS[name]} for name in values],
        }
        about = {"Timestamp": time.time_ns() // 1_000_000, "CloudWatchMetrics": [directive]}
        return json.dumps({"_aws": about, "EndpointName": self._endpoint, **values})
