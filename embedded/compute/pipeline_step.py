"""One step of a running pipeline, from its arguments to its result."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from embedded.compute.job import REASON_LENGTH, ClientFactory, now
from embedded.compute.pipeline_calls import RESOURCES, Resource, identity_of, resource_name
from embedded.compute.pipeline_conditions import holds
from embedded.compute.pipeline_definition import Step
from embedded.compute.pipeline_lambda import FunctionFailure, call
from embedded.compute.pipeline_retry import delay_s, fault_of_call, fault_of_job
from embedded.compute.pipeline_state import StepState
from embedded.compute.pipeline_values import ReferenceFailure, Values

_POLL_S = 0.1


@dataclass(frozen=True, kw_only=True)
class _Ending:
    """How one attempt ended, and what a retry policy calls its fault."""

    status: str
    reason: str | None = None
    fault: str | None = None


class StepRun:
    """Runs one step and tells of each change of its state.

    Args:
        step: The step.
        values: Resolves its references; gets its results.
        client: Gives boto3 clients of the front door.
        execution_arn: The execution it belongs to.
        role_arn: The pipeline's role, for a job that names none.
        stopping: Set when the execution is to stop.
        on_state: Gets each new state.
    """

    def __init__(
        self,
        *,
        step: Step,
        values: Values,
        client: ClientFactory,
        execution_arn: str,
        role_arn: str | None,
        stopping: threading.Event,
        on_state: Callable[[StepState], None],
    ) -> None:
        self._step = step
        self._values = values
        self._client = client
        self._execution_arn = execution_arn
        self._role_arn = role_arn
        self._stopping = stopping
        self._on_state = on_state
        self._state = StepState(
            name=step.name,
            type=step.type,
            status="Starting",
            start=now(),
            display_name=step.content.get("DisplayName"),
            description=step.content.get("Description"),
        )

    def execute(self) -> StepState:
        """Run the step to its end; what goes wrong is in the state, never an exception."""
        self._tell()
        try:
            if self._step.type == "Condition":
                self._decide()
            elif self._step.type == "Fail":
                message = str(self._values.resolve(self._step.arguments).get("ErrorMessage", ""))
                self._end("Failed", reason=message, metadata={"Fail": {"ErrorMessage": message}})
            elif self._step.type == "Lambda":
                self._call()
            else:
                self._make(RESOURCES[self._step.type])
        except ReferenceFailure as error:
            self._end("Failed", reason=f"ClientError: {error}")
        return self._state

    def _decide(self) -> None:
        conditions = self._step.arguments["Conditions"]
        outcome = all(holds(condition, self._values.resolve) for condition in conditions)
        self._end("Succeeded", metadata={"Condition": {"Outcome": str(outcome)}})

    def _call(self) -> None:
        arn = str(self._values.resolve(self._step.content["FunctionArn"]))
        self._tell(status="Executing", metadata={"Lambda": {"Arn": arn}})
        names = [output["OutputName"] for output in self._step.content.get("OutputParameters", ())]
        try:
            event = self._values.resolve(self._step.arguments)
            outputs = call(self._client("lambda"), function_arn=arn, event=event, outputs=names)
        except (ClientError, BotoCoreError, FunctionFailure) as error:
            self._end("Failed", reason=f"ClientError: {error}")
            return
        self._values.note(self._step.name, {"OutputParameters": outputs})
        told = [{"Name": name, "Value": value} for name, value in outputs.items()]
        self._end("Succeeded", metadata={"Lambda": {"Arn": arn, "OutputParameters": told}})

    def _make(self, resource: Resource) -> None:
        policies = self._step.content.get("RetryPolicies", ())
        while True:
            ending = self._attempt(resource)
            again_s = delay_s(policies, fault=ending.fault, attempt=self._state.attempt_count)
            if ending.status != "Failed" or again_s is None or self._stopping.wait(again_s):
                self._end(ending.status, reason=ending.reason)
                return
            self._tell(status="Starting", attempt_count=self._state.attempt_count + 1)

    def _attempt(self, resource: Resource) -> _Ending:
        """Make the thing once and see it through."""
        api = self._client("sagemaker")
        request = self._request(resource)
        try:
            answer = getattr(api, resource.create)(**request)
            identity = identity_of(resource, request=request, answer=answer)
            self._tell(status="Executing", metadata={resource.metadata: {"Arn": answer[resource.arn]}})
            description = self._watch(api, resource, identity)
            more = resource.more(api, description) if resource.more else {}
        except (ClientError, BotoCoreError) as error:
            return _Ending(status="Failed", reason=f"ClientError: {error}", fault=fault_of_call(error))
        status = description[resource.status] if resource.status else "Completed"
        if status == "Completed":
            self._values.note(self._step.name, {**description, **more})
            return _Ending(status="Succeeded")
        if status == "Stopped" and self._stopping.is_set():
            return _Ending(status="Stopped")
        reason = description.get("FailureReason") or f"the {resource.metadata} ended as {status}"
        return _Ending(status="Failed", reason=reason, fault=fault_of_job(reason))

    def _request(self, resource: Resource) -> dict[str, Any]:
        arguments = dict(self._step.arguments)
        if resource.name is None:
            request: dict[str, Any] = self._values.resolve(arguments)
            return request
        execution_id = self._execution_arn.rpartition("/")[2]
        prefix = arguments.pop(resource.name, None)
        name = resource_name(resource, prefix=prefix, execution_id=execution_id, step=self._step.name)
        request = self._values.resolve(arguments, **({resource.local: name} if resource.local else {}))
        request[resource.name] = name
        if self._role_arn and resource.takes_role:
            request.setdefault("RoleArn", self._role_arn)
        if resource.tagged:
            own = {
                "sagemaker:pipeline-execution-arn": self._execution_arn,
                "sagemaker:pipeline-step-name": self._step.name,
            }
            tags = [{"Key": key, "Value": value} for key, value in own.items()]
            request["Tags"] = [*request.get("Tags", ()), *tags]
        return request

    def _watch(self, api: Any, resource: Resource, identity: Mapping[str, Any]) -> dict[str, Any]:
        stop_asked = False
        while True:
            description: dict[str, Any] = getattr(api, resource.describe)(**identity)
            if resource.status is None or description[resource.status] in ("Completed", "Failed", "Stopped"):
                return description
            if self._stopping.is_set() and not stop_asked and resource.stop:
                stop_asked = True
                self._tell(status="Stopping")
                getattr(api, resource.stop)(**identity)
            time.sleep(_POLL_S)

    def _end(self, status: str, *, reason: str | None = None, metadata: dict[str, Any] | None = None) -> None:
        self._state = replace(
            self._state,
            end=now(),
            failure_reason=reason[:REASON_LENGTH] if reason else None,
            metadata=self._state.metadata if metadata is None else metadata,
        )
        self._tell(status=status)

    def _tell(self, **changes: Any) -> None:
        self._state = replace(self._state, **changes)
        self._on_state(self._state)
