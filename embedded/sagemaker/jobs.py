"""Processing, training and transform jobs: their records, their states and the events these raise."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from embedded.front.api import ApiError, Caller, Handler
from embedded.front.events import EventSink
from embedded.sagemaker.announcing import announce
from embedded.sagemaker.kinds import ResourceKind
from embedded.sagemaker.lineage_records import LineageRecords
from embedded.sagemaker.listing import Listing
from embedded.sagemaker.plain import already_exists, not_found
from embedded.sagemaker.store import Record, Store, now
from embedded.sagemaker.transform_rules import check_transform
from embedded.sagemaker.workshop import Workshop

_RUNNING = ("InProgress", "Stopping")


class JobRun(Protocol):
    """A run of `embedded.compute`."""

    def execute(self) -> Any:
        """Run the job; answer its result."""

    def stop(self) -> None:
        """Stop it."""


@dataclass(frozen=True, kw_only=True)
class JobKind(ResourceKind):
    """What tells the kinds of jobs apart."""

    @property
    def status_key(self) -> str:
        """The member that says how a job is."""
        return f"{self.noun}Status"

    @property
    def times(self) -> tuple[str, str]:
        """The members that say when a job's container began and ended."""
        stem = self.noun.removesuffix("Job")
        return f"{stem}StartTime", f"{stem}EndTime"

    @property
    def event(self) -> str:
        """The detail-type of its events."""
        return f"SageMaker {self.noun.removesuffix('Job')} Job State Change"


PROCESSING = JobKind(noun="ProcessingJob", path="processing-job")
TRAINING = JobKind(noun="TrainingJob", path="training-job")
TRANSFORM = JobKind(noun="TransformJob", path="transform-job")


class Jobs:
    """The actions of one kind of job."""

    def __init__(
        self, *, kind: JobKind, store: Store, workshop: Workshop, events: EventSink, lineage: LineageRecords
    ) -> None:
        self._kind = kind
        self._store = store
        self._workshop = workshop
        self._events = events
        self._lineage = lineage
        self._listing = Listing(action=f"List{kind.noun}s", name_key=kind.name_key, status_key=kind.status_key)

    def actions(self) -> dict[str, Handler]:
        """The handlers by operation name."""
        noun = self._kind.noun
        return {
            f"Create{noun}": self._create,
            f"Describe{noun}": self._describe,
            f"Stop{noun}": self._stop,
            f"List{noun}s": self._list,
        }

    def start(self, request: Record) -> str:
        """Start a job of this request; answer its ARN.

        Raises:
            ApiError: The name is taken, or it is a transform job that cannot be.
        """
        if self._kind is TRANSFORM:
            check_transform(request, self._store.kind("Model"))
        name = request[self._kind.name_key]
        arn = self._store.arn(f"{self._kind.path}/{name}")
        record = {
            **request,
            self._kind.arn_key: arn,
            self._kind.status_key: "InProgress",
            "CreationTime": now(),
            "LastModifiedTime": now(),
            **self._first_state(),
        }
        run = self._run(record, name)
        with self._store.locked():
            if name in self._records():
                raise already_exists(f"Create{self._kind.noun}", self._kind.path.replace("-", " "), arn)
            self._records()[name] = record
            self._store.tag(arn, request.get("Tags", []))
            self._lineage.job(record, noun=self._kind.noun)
        self._announce(record)
        self._workshop.start_job(arn, run, lambda: self._execute(record, run))
        return arn

    def stop(self, name: str) -> None:
        """Stop a job; one that has ended is left alone."""
        with self._store.locked():
            record = self._records()[name]
            if record[self._kind.status_key] not in _RUNNING:
                return
            record[self._kind.status_key] = "Stopping"
            record["LastModifiedTime"] = now()
        self._workshop.stop(record[self._kind.arn_key])

    def under_way(self, name: str) -> bool:
        """Whether a job waits or runs."""
        return self._workshop.under_way(self._records()[name][self._kind.arn_key])

    def _create(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        return {self._kind.arn_key: self.start(request)}

    def _run(self, record: Record, name: str) -> JobRun:
        # Imported here: the compute plane pulls in far more than a control plane that runs nothing needs.
        from embedded.compute.processing import ProcessingRun
        from embedded.compute.training import TrainingRun
        from embedded.compute.transform import TransformRun
        from embedded.compute.wrangler import WranglerRun, is_data_wrangler

        make: Callable[..., JobRun]
        if self._kind is TRAINING:
            make = TrainingRun
        elif self._kind is TRANSFORM:
            make = TransformRun
        else:
            flow = is_data_wrangler(record["AppSpecification"]["ImageUri"])
            make = WranglerRun if flow else ProcessingRun
        return make(
            request=record,
            client=self._workshop.client,
            workdir=self._workshop.folder(self._kind.path, name),
            environment=self._workshop.environment,
        )

    def _execute(self, record: Record, run: JobRun) -> None:
        with self._store.locked():
            record.update(self._started())
        try:
            outcome = self._outcome(run.execute())
        except Exception as error:
            reason = f"InternalServerError: {type(error).__name__}: {error}"[:1024]
            outcome = {self._kind.status_key: "Failed", "FailureReason": reason}
            raise
        finally:
            with self._store.locked():
                record.update(outcome)
                record["LastModifiedTime"] = now()
                self._note_secondary(record)
                self._lineage.job(record, noun=self._kind.noun)
            self._announce(record)

    def _first_state(self) -> Record:
        if self._kind is not TRAINING:
            return {}
        return {"SecondaryStatus": "Starting", "SecondaryStatusTransitions": [_transition("Starting")]}

    def _started(self) -> Record:
        started: Record = {self._kind.times[0]: now()}
        return {**started, "SecondaryStatus": "Training"} if self._kind is TRAINING else started

    def _outcome(self, result: Any) -> Record:
        outcome: Record = {self._kind.status_key: result.status, "FailureReason": result.failure_reason}
        outcome |= dict(zip(self._kind.times, (result.started, result.ended), strict=True))
        if self._kind is not TRAINING:
            return {**outcome, "ExitMessage": result.exit_message}
        outcome["SecondaryStatus"] = result.secondary_status
        outcome["FinalMetricDataList"] = list(result.final_metrics)
        if result.model_artifacts is not None:
            outcome["ModelArtifacts"] = {"S3ModelArtifacts": result.model_artifacts}
        seconds = max(1, round((result.ended - result.started).total_seconds()))
        return {**outcome, "TrainingTimeInSeconds": seconds, "BillableTimeInSeconds": seconds}

    def _note_secondary(self, record: Record) -> None:
        if self._kind is TRAINING:
            record["SecondaryStatusTransitions"][-1]["EndTime"] = now()
            record["SecondaryStatusTransitions"].append(_transition(record["SecondaryStatus"]))

    def _describe(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        with self._store.locked():
            return dict(self._find(request, f"Describe{self._kind.noun}"))

    def _stop(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        action = f"Stop{self._kind.noun}"
        with self._store.locked():
            record = self._find(request, action)
            if record[self._kind.status_key] not in _RUNNING:
                message = f"The request was rejected because the {self._kind.path.replace('-', ' ')} is in status "
                raise ApiError("ValidationException", f"{message}{record[self._kind.status_key]}.")
        self.stop(request[self._kind.name_key])
        return {}

    def _list(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        with self._store.locked():
            return self._listing.answer(request, self._records().values())

    def _records(self) -> dict[str, Record]:
        return self._store.kind(self._kind.noun)

    def _find(self, request: Mapping[str, Any], action: str) -> Record:
        record = self._records().get(request[self._kind.name_key])
        if record is None:
            raise not_found(action, "Requested resource not found.")
        return record

    def _announce(self, record: Record) -> None:
        arn = record[self._kind.arn_key]
        announce(record, arn=arn, detail_type=self._kind.event, store=self._store, events=self._events)


def _transition(status: str) -> Record:
    return {"Status": status, "StartTime": now()}
