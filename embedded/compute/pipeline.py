"""A pipeline execution: the deployed definition, run step by step through the SageMaker API."""

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import datetime
from typing import Any

from embedded.compute.job import ClientFactory, now
from embedded.compute.object_store import read_object
from embedded.compute.pipeline_definition import RUNNABLE, Definition, DefinitionError, Step, parse
from embedded.compute.pipeline_state import PipelineResult, StepState
from embedded.compute.pipeline_step import StepRun
from embedded.compute.pipeline_values import ReferenceFailure, Values

__all__ = ["DefinitionError", "PipelineResult", "PipelineRun", "StepState"]

_AT_ONCE = 2
_REASON_LENGTH = 1300


class PipelineRun:
    """Runs one execution. A step that fails lets those under way finish, and no other starts.

    Step caching is always a miss here: each execution really runs.

    Args:
        definition: The definition, as CreatePipeline was given it.
        parameters: What StartPipelineExecution was given.
        pipeline_name: For the execution variables; likewise `pipeline_arn`, `execution_arn` and `started`.
        role_arn: The pipeline's role, for jobs that name none.
        client: Gives boto3 clients of the front door.
        on_step: Gets the new state at each change of a step; one call at a time, from several threads.
    """

    def __init__(
        self,
        *,
        definition: str | Mapping[str, Any],
        parameters: Mapping[str, str],
        pipeline_name: str,
        pipeline_arn: str,
        execution_arn: str,
        role_arn: str | None,
        client: ClientFactory,
        on_step: Callable[[StepState], None],
        started: datetime | None = None,
    ) -> None:
        self._text = definition
        self._given = parameters
        self._execution = {
            "PipelineName": pipeline_name,
            "PipelineArn": pipeline_arn,
            "PipelineExecutionArn": execution_arn,
            "PipelineExecutionId": execution_arn.rpartition("/")[2],
            "StartDateTime": (started or now()).isoformat(timespec="milliseconds"),
            "CurrentDateTime": now().isoformat(timespec="milliseconds"),
        }
        self._role_arn = role_arn
        self._client = client
        self._on_step = on_step
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._states: dict[str, StepState] = {}
        self._definition = Definition(parameters={}, steps={})
        self._values: Values

    @staticmethod
    def check(definition: str | Mapping[str, Any], parameters: Mapping[str, str]) -> None:
        """Refuse what CreatePipeline and StartPipelineExecution refuse.

        Raises:
            DefinitionError: The definition or a parameter's value is not acceptable.
        """
        parse(definition).values(parameters)

    def stop(self) -> None:
        """Stop the jobs under way and start no other; `execute` then returns `Stopped`."""
        self._stopping.set()

    def execute(self) -> PipelineResult:
        """Run the pipeline to its end. What goes wrong is in the result, never an exception."""
        try:
            self._definition = parse(self._text)
            self._values = self._open_values()
        except DefinitionError as error:
            return PipelineResult(status="Failed", failure_reason=str(error), steps=())
        refused = [step for step in self._definition.steps.values() if step.type not in RUNNABLE]
        if refused:
            reason = (
                f"step {refused[0].name!r}: embedded AWS does not run steps of type {refused[0].type!r}; "
                f"it runs {', '.join(sorted(RUNNABLE))}"
            )
            return PipelineResult(status="Failed", failure_reason=reason, steps=())
        self._run_steps()
        return self._result()

    def _open_values(self) -> Values:
        missing = self._definition.missing(self._given)
        if missing:
            raise DefinitionError(f"the execution needs a value for parameter {missing[0]!r}")
        return Values(
            parameters=self._definition.values(self._given),
            execution=self._execution,
            property_file=self._property_file,
            read=lambda uri: read_object(self._client("s3"), uri=uri),
        )

    def _property_file(self, step: str, name: str) -> str:
        for entry in self._definition.steps[step].content.get("PropertyFiles", ()):
            if entry["PropertyFileName"] == name:
                output = f"Steps.{step}.ProcessingOutputConfig.Outputs['{entry['OutputName']}'].S3Output.S3Uri"
                folder: str = self._values.resolve({"Get": output})
                return f"{folder.rstrip('/')}/{entry['FilePath']}"
        raise ReferenceFailure(f"step {step!r} declares no property file {name!r}")

    def _run_steps(self) -> None:
        running: dict[Future[StepState], str] = {}
        started: set[str] = set()
        with ThreadPoolExecutor(max_workers=_AT_ONCE, thread_name_prefix="pipeline-step") as pool:
            while True:
                for step in self._ready(started):
                    started.add(step.name)
                    running[pool.submit(self._step_run(step).execute)] = step.name
                    if len(running) >= _AT_ONCE:
                        break
                if not running:
                    return
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    running.pop(future)
                    future.result()

    def _ready(self, started: set[str]) -> list[Step]:
        if self._stopping.is_set() or any(state.status == "Failed" for state in self._states.values()):
            return []
        return [
            step
            for step in self._definition.steps.values()
            if step.name not in started and self._chosen(step) and all(map(self._over, step.waits_for))
        ]

    def _chosen(self, step: Step) -> bool:
        """Whether it lies outside every branch, or in a branch that was taken."""
        if step.parent is None:
            return True
        outcome = self._outcome(step.parent)
        return outcome is not None and step.name in self._definition.steps[step.parent].branches[outcome]

    def _over(self, name: str) -> bool:
        """Whether a step, and the branch it took if it is a condition, has succeeded."""
        state = self._states.get(name)
        if state is None or state.status != "Succeeded":
            return False
        outcome = self._outcome(name)
        return outcome is None or all(map(self._over, self._definition.steps[name].branches[outcome]))

    def _outcome(self, condition: str) -> bool | None:
        state = self._states.get(condition)
        outcome = state.metadata.get("Condition", {}).get("Outcome") if state else None
        return None if outcome is None else outcome == "True"

    def _step_run(self, step: Step) -> StepRun:
        return StepRun(
            step=step,
            values=self._values,
            client=self._client,
            execution_arn=self._execution["PipelineExecutionArn"],
            role_arn=self._role_arn,
            stopping=self._stopping,
            on_state=self._note,
        )

    def _note(self, state: StepState) -> None:
        with self._lock:
            self._states[state.name] = state
            self._on_step(state)

    def _result(self) -> PipelineResult:
        steps = tuple(self._states.values())
        failed = [f"{state.name}: {state.failure_reason}" for state in steps if state.status == "Failed"]
        starved = [
            step.name
            for step in self._definition.steps.values()
            if step.name not in self._states and self._chosen(step)
        ]
        if self._stopping.is_set():
            return PipelineResult(status="Stopped", failure_reason=None, steps=steps)
        if failed:
            # SageMaker says the first sentence only, and the rest in the steps.
            reason = f"Step failure: One or multiple steps failed. {' '.join(failed)}"
            return PipelineResult(status="Failed", failure_reason=reason[:_REASON_LENGTH], steps=steps)
        if starved:
            reason = f"steps {starved} could not start: they need a step in a branch that was not taken"
            return PipelineResult(status="Failed", failure_reason=reason[:_REASON_LENGTH], steps=steps)
        return PipelineResult(status="Succeeded", failure_reason=None, steps=steps)
