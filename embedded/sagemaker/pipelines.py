"""Pipelines and their executions; an execution's steps are run by `embedded.compute.pipeline`."""

import uuid
from typing import Any

from embedded.front.api import ApiError, Caller, Handler
from embedded.sagemaker.listing import Listing
from embedded.sagemaker.pipeline_events import PipelineEvents
from embedded.sagemaker.plain import already_exists
from embedded.sagemaker.store import Record, Store, name_of, now
from embedded.sagemaker.workshop import Workshop

_OPEN = ("Executing", "Stopping")


class Pipelines:
    """The actions of pipelines and pipeline executions."""

    def __init__(self, *, store: Store, workshop: Workshop, events: PipelineEvents) -> None:
        self._store = store
        self._workshop = workshop
        self._events = events
        self._listing = Listing(action="ListPipelines", name_key="PipelineName")
        self._executions = Listing(
            action="ListPipelineExecutions",
            name_key="PipelineExecutionArn",
            aliases={"StartTime": "CreationTime", "PipelineExecutionFailureReason": "FailureReason"},
        )

    def actions(self) -> dict[str, Handler]:
        """The handlers by operation name."""
        return {
            "CreatePipeline": self._create,
            "UpdatePipeline": self._update,
            "DescribePipeline": self._describe,
            "DeletePipeline": self._delete,
            "ListPipelines": self._list,
            "StartPipelineExecution": self._start,
            "StopPipelineExecution": self._stop,
            "DescribePipelineExecution": self._describe_execution,
            "ListPipelineExecutions": self._list_executions,
            "ListPipelineExecutionSteps": self._list_steps,
            "DescribePipelineDefinitionForExecution": self._describe_definition,
            "ListPipelineParametersForExecution": self._list_parameters,
        }

    def _create(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        name = request["PipelineName"]
        arn = self._store.arn(f"pipeline/{name}")
        definition = self._definition(request)
        with self._store.locked():
            if name in self._store.kind("Pipeline"):
                raise already_exists("CreatePipeline", "pipeline", arn)
            self._store.kind("Pipeline")[name] = {
                "PipelineDisplayName": name,
                **request,
                "PipelineArn": arn,
                "PipelineDefinition": definition,
                "PipelineStatus": "Active",
                "CreationTime": now(),
                "LastModifiedTime": now(),
                "CreatedBy": caller.context(),
                "LastModifiedBy": caller.context(),
            }
            self._store.tag(arn, request.get("Tags", []))
        return {"PipelineArn": arn}

    def _update(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        given = "PipelineDefinition" in request or "PipelineDefinitionS3Location" in request
        definition = self._definition(request) if given else None
        with self._store.locked():
            record = self._find(request["PipelineName"])
            record.update({key: value for key, value in request.items() if key != "PipelineName"})
            if definition is not None:
                record["PipelineDefinition"] = definition
            record["LastModifiedTime"] = now()
            record["LastModifiedBy"] = caller.context()
            return {"PipelineArn": record["PipelineArn"]}

    def _definition(self, request: dict[str, Any]) -> str:
        """Read and check the definition, so that a pipeline which cannot run is refused where it is written."""
        if "PipelineDefinition" in request:
            text: str = request["PipelineDefinition"]
        elif "PipelineDefinitionS3Location" in request:
            place = request["PipelineDefinitionS3Location"]
            response = self._workshop.client("s3").get_object(Bucket=place["Bucket"], Key=place["ObjectKey"])
            text = response["Body"].read().decode()
        else:
            message = "Either PipelineDefinition or PipelineDefinitionS3Location must be provided."
            raise ApiError("ValidationException", message)
        self._check(text, {})
        return text

    @staticmethod
    def _check(definition: str, parameters: dict[str, str]) -> None:
        from embedded.compute.pipeline import DefinitionError, PipelineRun

        try:
            PipelineRun.check(definition, parameters)
        except DefinitionError as error:
            raise ApiError("ValidationException", str(error)) from error

    def _describe(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        with self._store.locked():
            return dict(self._find(request["PipelineName"]))

    def _delete(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        with self._store.locked():
            record = self._find(request["PipelineName"])
            running = [run for run in self._runs_of(record) if run["PipelineExecutionStatus"] in _OPEN]
            if running:
                message = f"Pipeline {record['PipelineName']} has an execution under way."
                raise ApiError("ConflictException", message)
            self._store.forget_tags(record["PipelineArn"])
            del self._store.kind("Pipeline")[record["PipelineName"]]
        return {"PipelineArn": record["PipelineArn"]}

    def _list(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        prefix = request.get("PipelineNamePrefix", "")
        with self._store.locked():
            records = [
                record for record in self._store.kind("Pipeline").values() if record["PipelineName"].startswith(prefix)
            ]
            return self._listing.answer(request, records)

    def _start(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        values = {item["Name"]: item["Value"] for item in request.get("PipelineParameters", [])}
        with self._store.locked():
            pipeline = dict(self._find(request["PipelineName"]))
        self._check(pipeline["PipelineDefinition"], values)
        arn = f"{pipeline['PipelineArn']}/execution/{uuid.uuid4().hex[:12]}"
        record: Record = {
            "PipelineExecutionDisplayName": f"execution-{arn.rpartition('/')[2]}",
            **request,
            "PipelineArn": pipeline["PipelineArn"],
            "PipelineExecutionArn": arn,
            "PipelineExecutionStatus": "Executing",
            "PipelineDefinition": pipeline["PipelineDefinition"],
            "CreationTime": now(),
            "LastModifiedTime": now(),
            "CreatedBy": caller.context(),
            "Steps": {},
        }
        with self._store.locked():
            self._store.kind("PipelineExecution")[arn] = record
            self._find(pipeline["PipelineName"])["LastRunTime"] = record["CreationTime"]
        self._events.execution(record, previous=None)
        self._launch(record, pipeline, values)
        return {"PipelineExecutionArn": arn}

    def _launch(self, record: Record, pipeline: Record, values: dict[str, str]) -> None:
        from embedded.compute.pipeline import PipelineRun

        run = PipelineRun(
            definition=pipeline["PipelineDefinition"],
            parameters=values,
            pipeline_name=pipeline["PipelineName"],
            pipeline_arn=pipeline["PipelineArn"],
            execution_arn=record["PipelineExecutionArn"],
            role_arn=pipeline.get("RoleArn"),
            client=self._workshop.client,
            on_step=lambda step: self._note_step(record, step),
            started=record["CreationTime"],
        )
        key = record["PipelineExecutionArn"]
        self._workshop.start_coordinator(key, run, lambda: self._execute(record, run))

    def _execute(self, record: Record, run: Any) -> None:
        outcome: Record = {"PipelineExecutionStatus": "Failed", "FailureReason": "InternalServerError"}
        try:
            result = run.execute()
            outcome = {"PipelineExecutionStatus": result.status, "FailureReason": result.failure_reason}
        finally:
            with self._store.locked():
                previous = record["PipelineExecutionStatus"]
                record.update({**outcome, "LastModifiedTime": now()})
            self._events.execution(record, previous=previous)

    def _note_step(self, record: Record, step: Any) -> None:
        listed = step.as_listed()
        with self._store.locked():
            before = record["Steps"].get(step.name)
            record["Steps"][step.name] = listed
            record["LastModifiedTime"] = now()
        previous = before["StepStatus"] if before else None
        if previous != listed["StepStatus"]:
            self._events.step(record, listed, kind=step.type, previous=previous)

    def _stop(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        with self._store.locked():
            record = self._execution(request)
            if record["PipelineExecutionStatus"] not in _OPEN:
                message = f"Pipeline execution is in status {record['PipelineExecutionStatus']}: nothing to stop."
                raise ApiError("ConflictException", message)
            record["PipelineExecutionStatus"] = "Stopping"
            record["LastModifiedTime"] = now()
            record["LastModifiedBy"] = caller.context()
        self._events.execution(record, previous="Executing")
        self._workshop.stop(record["PipelineExecutionArn"])
        return {"PipelineExecutionArn": record["PipelineExecutionArn"]}

    def _describe_execution(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        with self._store.locked():
            return dict(self._execution(request))

    def _list_executions(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        with self._store.locked():
            return self._executions.answer(request, self._runs_of(self._find(request["PipelineName"])))

    def _list_steps(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        """The newest first, as SageMaker's default order is."""
        with self._store.locked():
            steps = list(self._execution(request)["Steps"].values())
        if request.get("SortOrder", "Descending") == "Descending":
            steps.reverse()
        return {"PipelineExecutionSteps": steps}

    def _describe_definition(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        with self._store.locked():
            return dict(self._execution(request))

    def _list_parameters(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        with self._store.locked():
            return {"PipelineParameters": self._execution(request).get("PipelineParameters", [])}

    def _runs_of(self, pipeline: Record) -> list[Record]:
        runs = self._store.kind("PipelineExecution").values()
        return [run for run in runs if run["PipelineArn"] == pipeline["PipelineArn"]]

    def _find(self, reference: str) -> Record:
        record: Record | None = self._store.kind("Pipeline").get(name_of(reference))
        if record is None:
            arn = self._store.arn(f"pipeline/{name_of(reference)}")
            raise ApiError("ResourceNotFound", f"Pipeline '{arn}' does not exist.")
        return record

    def _execution(self, request: dict[str, Any]) -> Record:
        arn = request["PipelineExecutionArn"]
        record: Record | None = self._store.kind("PipelineExecution").get(arn)
        if record is None:
            raise ApiError("ResourceNotFound", f"Pipeline execution with ARN {arn} does not exist.")
        return record
