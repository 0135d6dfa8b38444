"""A tuning under way: its training jobs, a few at a time, until all have run."""

import secrets
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

from embedded.sagemaker.jobs import Jobs
from embedded.sagemaker.store import Record

_POLL_S = 0.1
_NUMBER = r"([-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?)"


class TuningRun:
    """Starts the training jobs of one tuning.

    Args:
        record: The tuning job, as it was asked for, with its ARN.
        candidates: The tuned hyper-parameters of each job.
        training: Where training jobs run.
    """

    def __init__(self, *, record: Record, candidates: Sequence[Mapping[str, str]], training: Jobs) -> None:
        self._record = record
        self._candidates = candidates
        self._training = training
        self._running: list[str] = []
        self._stopped = False
        self._lock = threading.Lock()

    def execute(self) -> None:
        """Run all jobs to their ends. A job that fails is for who ranks them to see."""
        most: int = self._record["HyperParameterTuningJobConfig"]["ResourceLimits"]["MaxParallelTrainingJobs"]
        waiting = [self._request(number, tuned) for number, tuned in enumerate(self._candidates, start=1)]
        while True:
            with self._lock:
                self._running = [name for name in self._running if self._training.under_way(name)]
                while waiting and len(self._running) < most and not self._stopped:
                    request = waiting.pop(0)
                    self._training.start(request)
                    self._running.append(request["TrainingJobName"])
                if not self._running:
                    return
            time.sleep(_POLL_S)

    def stop(self) -> None:
        """Start no other job, and stop those under way."""
        with self._lock:
            self._stopped = True
            for name in self._running:
                self._training.stop(name)

    def _request(self, number: int, tuned: Mapping[str, str]) -> Record:
        """One training job, as SageMaker makes it: named after the tuning, with its tags and its objective's name."""
        definition = self._record["TrainingJobDefinition"]
        objective = _objective_name(self._record)
        static = {**definition.get("StaticHyperParameters", {}), "_tuning_objective_metric": objective}
        algorithm = {"MetricDefinitions": [_as_xgboost_prints(objective)], **definition["AlgorithmSpecification"]}
        return {
            **{key: value for key, value in definition.items() if key != "StaticHyperParameters"},
            "TrainingJobName": f"{self._record['HyperParameterTuningJobName']}-{number:03}-{secrets.token_hex(4)}",
            "TuningJobArn": self._record["HyperParameterTuningJobArn"],
            "AlgorithmSpecification": algorithm,
            "HyperParameters": {**static, **tuned},
            "TunedHyperParameters": dict(tuned),
            "Tags": self._record.get("Tags", []),
        }


def _objective_name(record: Mapping[str, Any]) -> str:
    name: str = record["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]["MetricName"]
    return name


def _as_xgboost_prints(objective: str) -> dict[str, str]:
    """How SageMaker finds a metric of AWS's own XGBoost, which a tuning of it may not define."""
    printed = objective.replace(":", "-")
    return {"Name": objective, "Regex": rf"\[[0-9]+\].*\t{printed}:{_NUMBER}"}
