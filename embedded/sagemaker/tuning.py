"""Tuning jobs: their records, and which of their training jobs is the best."""

from collections.abc import Mapping
from typing import Any

from embedded.compute.job import JobRefused, absent
from embedded.front.api import ApiError, Caller, Handler
from embedded.front.events import EventSink
from embedded.sagemaker.announcing import announce
from embedded.sagemaker.jobs import Jobs
from embedded.sagemaker.listing import Listing
from embedded.sagemaker.plain import already_exists, not_found
from embedded.sagemaker.store import Record, Store, now
from embedded.sagemaker.tuning_run import TuningRun
from embedded.sagemaker.workshop import Workshop

_NAME = "HyperParameterTuningJobName"
_ARN = "HyperParameterTuningJobArn"
_STATUS = "HyperParameterTuningJobStatus"
_RUNNING = ("InProgress", "Stopping")


class TuningJobs:
    """The actions of tuning jobs.

    Args:
        training: Where their training jobs run.
    """

    def __init__(self, *, store: Store, workshop: Workshop, events: EventSink, training: Jobs) -> None:
        self._store = store
        self._workshop = workshop
        self._events = events
        self._training = training
        self._listing = Listing(
            action="ListTrainingJobsForHyperParameterTuningJob",
            name_key="TrainingJobName",
            status_key="TrainingJobStatus",
        )

    def actions(self) -> dict[str, Handler]:
        """The handlers by operation name."""
        return {
            "CreateHyperParameterTuningJob": self._create,
            "DescribeHyperParameterTuningJob": self._describe,
            "StopHyperParameterTuningJob": self._stop,
            "ListTrainingJobsForHyperParameterTuningJob": self._list_training_jobs,
        }

    def _create(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        candidates = _candidates(request)
        name = request[_NAME]
        arn = self._store.arn(f"hyper-parameter-tuning-job/{name}")
        times = {"CreationTime": now(), "LastModifiedTime": now()}
        record = {**request, _ARN: arn, _STATUS: "InProgress", **times}
        run = TuningRun(record=record, candidates=candidates, training=self._training)
        with self._store.locked():
            if name in self._records():
                raise already_exists("CreateHyperParameterTuningJob", "hyper parameter tuning job", arn)
            self._records()[name] = record
            self._store.tag(arn, request.get("Tags", []))
        self._announce(record)
        self._workshop.start_coordinator(arn, run, lambda: self._execute(record, run))
        return {_ARN: arn}

    def _execute(self, record: Record, run: TuningRun) -> None:
        reason = "InternalServerError"
        try:
            run.execute()
            reason = ""
        finally:
            with self._store.locked():
                record.update(self._outcome(record, reason))
                record["HyperParameterTuningEndTime"] = record["LastModifiedTime"] = now()
            self._announce(record)

    def _outcome(self, record: Record, reason: str) -> Record:
        """It went well if any of its jobs has a result."""
        if record[_STATUS] == "Stopping":
            return {_STATUS: "Stopped"}
        jobs = self._summaries(record)
        if not reason and _ranked(record, jobs):
            return {_STATUS: "Completed"}
        if not reason and any(job["TrainingJobStatus"] == "Completed" for job in jobs):
            metric = _objective(record)["MetricName"]
            reason = f"No objective metric found after running {len(jobs)} training jobs: none printed {metric!r}."
        why = next((job["FailureReason"] for job in jobs if job.get("FailureReason")), "")
        reason = reason or f"No training job succeeded after {len(jobs)} attempts. {why}"
        return {_STATUS: "Failed", "FailureReason": reason.strip()[:1024]}

    def _describe(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        with self._store.locked():
            record = self._find(request, "DescribeHyperParameterTuningJob")
            jobs = self._summaries(record)
            ranked = _ranked(record, jobs)
        answer = {**record, **_counters(jobs)}
        return {**answer, "BestTrainingJob": ranked[0]} if ranked else answer

    def _stop(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        with self._store.locked():
            record = self._find(request, "StopHyperParameterTuningJob")
            if record[_STATUS] not in _RUNNING:
                message = "The request was rejected because the hyper parameter tuning job is in status "
                raise ApiError("ValidationException", f"{message}{record[_STATUS]}.")
            record.update({_STATUS: "Stopping", "LastModifiedTime": now()})
        self._workshop.stop(record[_ARN])
        return {}

    def _list_training_jobs(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        with self._store.locked():
            record = self._find(request, "ListTrainingJobsForHyperParameterTuningJob")
            jobs = self._summaries(record)
        if request.get("SortBy") == "FinalObjectiveMetricValue":
            # Jobs without a result are left out. What the listing turns around must end with the best.
            ranked = _ranked(record, jobs)
            jobs = ranked[::-1] if _objective(record)["Type"] == "Maximize" else ranked
        return self._listing.answer({"SortBy": "Name", "SortOrder": "Ascending", **request}, jobs)

    def _summaries(self, record: Record) -> list[Record]:
        jobs = self._store.kind("TrainingJob").values()
        return [_summary(record, job) for job in jobs if job.get("TuningJobArn") == record[_ARN]]

    def _records(self) -> dict[str, Record]:
        return self._store.kind("HyperParameterTuningJob")

    def _find(self, request: Mapping[str, Any], action: str) -> Record:
        record = self._records().get(request[_NAME])
        if record is None:
            raise not_found(action, "Requested resource not found.")
        return record

    def _announce(self, record: Record) -> None:
        with self._store.locked():
            told = {**record, **_counters(self._summaries(record))}
        announce(
            told,
            arn=record[_ARN],
            detail_type="SageMaker HyperParameter Tuning Job State Change",
            store=self._store,
            events=self._events,
        )


def _candidates(request: Mapping[str, Any]) -> list[dict[str, str]]:
    # Imported here: it pulls in far more than a control plane that tunes nothing needs.
    from embedded.compute.search import candidates

    try:
        absent(request, "TrainingJobDefinitions", "WarmStartConfig", "Autotune", where="the tuning")
        absent(request["TrainingJobDefinition"], "HyperParameterTuningResourceConfig", where="the tuning")
        return candidates(request["HyperParameterTuningJobConfig"])
    except JobRefused as refused:
        raise ApiError("ValidationException", str(refused).removeprefix("ClientError: ")) from refused


def _objective(record: Mapping[str, Any]) -> dict[str, str]:
    objective: dict[str, str] = record["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]
    return objective


def _summary(record: Record, job: Record) -> Record:
    """One training job as the tuning tells of it."""
    objective = _objective(record)
    found = [item for item in job.get("FinalMetricDataList", ()) if item["MetricName"] == objective["MetricName"]]
    summary = {**job, "TuningJobName": record[_NAME], "ObjectiveStatus": "Pending"}
    if job["TrainingJobStatus"] in _RUNNING:
        return summary
    if job["TrainingJobStatus"] != "Completed" or not found:
        return {**summary, "ObjectiveStatus": "Failed"}
    metric = {**objective, "Value": found[0]["Value"]}
    return {**summary, "ObjectiveStatus": "Succeeded", "FinalHyperParameterTuningJobObjectiveMetric": metric}


def _ranked(record: Record, jobs: list[Record]) -> list[Record]:
    """The jobs that have a result, the best first; of equal ones the earlier."""
    best_first = -1 if _objective(record)["Type"] == "Maximize" else 1
    measured = [job for job in jobs if job["ObjectiveStatus"] == "Succeeded"]
    return sorted(measured, key=lambda job: best_first * job["FinalHyperParameterTuningJobObjectiveMetric"]["Value"])


def _counters(jobs: list[Record]) -> Record:
    statuses = [job["TrainingJobStatus"] for job in jobs]
    objectives = [job["ObjectiveStatus"] for job in jobs]
    return {
        "TrainingJobStatusCounters": {
            "Completed": statuses.count("Completed"),
            "InProgress": sum(status in _RUNNING for status in statuses),
            "RetryableError": 0,
            "NonRetryableError": statuses.count("Failed"),
            "Stopped": statuses.count("Stopped"),
        },
        "ObjectiveStatusCounters": {status: objectives.count(status) for status in ("Succeeded", "Pending", "Failed")},
    }
