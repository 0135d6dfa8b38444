"""Glue job runs that really run their script, and the connection update that ministack lacks."""

import threading
import time
import uuid
from datetime import UTC, datetime
from typing import Any

from ministack.core.responses import request_scope
from ministack.services import glue

from embedded.front.api import ApiError, Caller, Handler, ModelledService
from embedded.front.events import EventSink
from embedded.sagemaker.workshop import Workshop

Record = dict[str, Any]
_OPEN = ("STARTING", "RUNNING", "STOPPING")
_SEVERITY = {"SUCCEEDED": "INFO", "STOPPED": "WARN", "TIMEOUT": "WARN", "FAILED": "ERROR"}


class GlueRuns:
    """The actions on job runs, over `embedded.compute.glue`, and UpdateConnection."""

    def __init__(self, *, account: str, region: str, workshop: Workshop, events: EventSink) -> None:
        self._scope = (account, region)
        self._workshop = workshop
        self._events = events
        self._lock = threading.Lock()
        self._runs: dict[str, list[Record]] = {}

    def actions(self) -> dict[str, Handler]:
        """The handlers by operation name."""
        return {
            "StartJobRun": self._start,
            "GetJobRun": self._get,
            "GetJobRuns": self._get_all,
            "BatchStopJobRun": self._stop,
            "UpdateConnection": self._update_connection,
        }

    def service(self) -> ModelledService:
        """These actions behind Glue's protocol."""
        return ModelledService(name="glue", actions=self.actions())

    def _start(self, request: Record, caller: Caller) -> Record:
        job = self._job(request["JobName"])
        run_id = f"jr_{uuid.uuid4().hex}"
        record = {
            "Id": run_id,
            "Attempt": 0,
            "JobName": job["Name"],
            "JobMode": "SCRIPT",
            "StartedOn": datetime.now(UTC),
            "LastModifiedOn": datetime.now(UTC),
            "JobRunState": "STARTING",
            "Arguments": request.get("Arguments", {}),
            "PredecessorRuns": [],
            "ExecutionTime": 0,
            "Timeout": request.get("Timeout", job.get("Timeout")),
            "WorkerType": request.get("WorkerType", job.get("WorkerType")),
            "NumberOfWorkers": request.get("NumberOfWorkers", job.get("NumberOfWorkers")),
            "GlueVersion": job.get("GlueVersion"),
            "LogGroupName": "/aws-glue/jobs",
        }
        run = self._run(job, record)
        with self._lock:
            runs = self._runs.setdefault(job["Name"], [])
            allowed = job.get("ExecutionProperty", {}).get("MaxConcurrentRuns", 1)
            if sum(known["JobRunState"] in _OPEN for known in runs) >= allowed:
                message = f"Concurrent runs exceeded for {job['Name']}"
                raise ApiError("ConcurrentRunsExceededException", message)
            runs.append(record)
        self._workshop.start_job(run_id, run, lambda: self._execute(record, run))
        return {"JobRunId": run_id}

    def _run(self, job: Record, record: Record) -> Any:
        from embedded.compute.glue import GlueRun

        return GlueRun(
            job=job,
            run_id=record["Id"],
            arguments=record["Arguments"],
            client=self._workshop.client,
            workdir=self._workshop.folder("glue", record["Id"]),
            environment=self._workshop.environment,
        )

    def _execute(self, record: Record, run: Any) -> None:
        with self._lock:
            record.update({"JobRunState": "RUNNING", "LastModifiedOn": datetime.now(UTC)})
        started = time.monotonic()
        outcome: Record = {"JobRunState": "FAILED", "ErrorMessage": "the run broke off; see the server's log"}
        try:
            result = run.execute()
            outcome = {"JobRunState": result.state, "ErrorMessage": result.error_message}
        finally:
            with self._lock:
                ended = datetime.now(UTC)
                record.update({**outcome, "CompletedOn": ended, "LastModifiedOn": ended})
                record["ExecutionTime"] = round(time.monotonic() - started)
            self._announce(record)

    def _announce(self, record: Record) -> None:
        state = record["JobRunState"]
        self._events(
            source="aws.glue",
            detail_type="Glue Job State Change",
            detail={
                "jobName": record["JobName"],
                "severity": _SEVERITY.get(state, "ERROR"),
                "state": state,
                "jobRunId": record["Id"],
                "message": record["ErrorMessage"] or f"Job run {state.lower()}",
            },
            resources=[],
        )

    def _get(self, request: Record, caller: Caller) -> Record:
        with self._lock:
            return {"JobRun": dict(self._find(request["JobName"], request["RunId"]))}

    def _get_all(self, request: Record, caller: Caller) -> Record:
        self._job(request["JobName"])
        with self._lock:
            return {"JobRuns": [dict(run) for run in reversed(self._runs.get(request["JobName"], []))]}

    def _stop(self, request: Record, caller: Caller) -> Record:
        stopped, errors = [], []
        for run_id in request["JobRunIds"]:
            named = {"JobName": request["JobName"], "JobRunId": run_id}
            try:
                self._stop_one(request["JobName"], run_id)
                stopped.append(named)
            except ApiError as error:
                detail = {"ErrorCode": error.code, "ErrorMessage": str(error)}
                errors.append({**named, "ErrorDetail": detail})
        return {"SuccessfulSubmissions": stopped, "Errors": errors}

    def _stop_one(self, job: str, run_id: str) -> None:
        with self._lock:
            record = self._find(job, run_id)
            if record["JobRunState"] not in _OPEN:
                raise ApiError("IllegalSessionStateException", f"Run {run_id} is {record['JobRunState']}")
            record["JobRunState"] = "STOPPING"
        self._workshop.stop(run_id)

    def _update_connection(self, request: Record, caller: Caller) -> Record:
        with request_scope(*self._scope):
            known = glue._connections.get(request["Name"])
            if known is None:
                raise ApiError("EntityNotFoundException", f"Connection {request['Name']} not found.")
            glue._connections[request["Name"]] = {
                **request["ConnectionInput"],
                "Name": request["Name"],
                "CreationTime": known.get("CreationTime"),
                "LastUpdatedTime": int(time.time()),
            }
        return {}

    def _job(self, name: str) -> Record:
        with request_scope(*self._scope):
            job = glue._jobs.get(name)
        if job is None:
            raise ApiError("EntityNotFoundException", f"Failed to start job run due to missing metadata: {name}")
        return dict(job)

    def _find(self, job: str, run_id: str) -> Record:
        for run in self._runs.get(job, []):
            if run["Id"] == run_id:
                return run
        raise ApiError("EntityNotFoundException", f"Job run {run_id} of {job} not found.")
