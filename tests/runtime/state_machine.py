"""An interpreter for workflows as they are synthesised, as far as ours go: JSONPath, retries, catches, choices."""

import json
import re
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

TOO_MANY_STATES = 1000
State = dict[str, Any]


class TaskFailed(Exception):
    """A task's error as Step Functions names it."""

    def __init__(self, error: str, cause: str) -> None:
        super().__init__(f"{error}: {cause}")
        self.error = error
        self.cause = cause


def synthesised(machine: Construct) -> dict[str, Any]:
    """The definition of a state machine as its stack's template will hold it."""
    [definition] = [
        node.definition_string
        for node in machine.node.find_all()
        if isinstance(node, sfn.CfnStateMachine) and node.definition_string
    ]
    return written(cdk.Stack.of(machine).resolve(definition))


def with_functions_by_name(definition: dict[str, Any]) -> dict[str, Any]:
    """The definition with the ARN of each function that a task calls reduced to its name."""
    for state in definition["States"].values():
        if ":lambda:" in state.get("Resource", ""):
            state["Resource"] = state["Resource"].rpartition(":")[2]
    return definition


def written(resolved: Any) -> dict[str, Any]:
    """A definition from what the CDK resolves it to; references become the word aws, the partition's name."""
    if isinstance(resolved, str):
        text = resolved
    else:
        text = "".join(part if isinstance(part, str) else "aws" for part in resolved["Fn::Join"][1])
    definition: dict[str, Any] = json.loads(text)
    return definition


class Machine:
    """One workflow.

    Args:
        definition: As synthesised.
        task: Does a task, given its resource and its input.
        sleep: Told how many seconds a wait or a retry takes.
    """

    def __init__(
        self,
        definition: dict[str, Any],
        *,
        task: Callable[[str, Any], Any],
        sleep: Callable[[float], None],
    ) -> None:
        self._definition = definition
        self._task = task
        self._sleep = sleep
        self.data: Any = None

    def run(self, context: dict[str, Any], given: Any) -> Iterator[str]:
        """Each state's name before it is entered; at last that of a Succeed or a Fail."""
        name, self.data = self._definition["StartAt"], given
        for _ in range(TOO_MANY_STATES):
            yield name
            state = self._definition["States"][name]
            if state["Type"] in ("Succeed", "Fail"):
                if "CausePath" in state:
                    self.data = resolve(state["CausePath"], self.data, context)
                return
            if state["Type"] == "Choice":
                chosen = [c["Next"] for c in state["Choices"] if holds(c, self.data)]
                name = (chosen or [state["Default"]])[0]
                continue
            if state["Type"] == "Wait":
                self._sleep(state["Seconds"])
            elif state["Type"] == "Pass":
                self.data = _placed(state, self.data, fill(state["Parameters"], self.data, context))
            else:
                name = self._attempt(state, context)
                continue
            name = state["Next"]
        raise AssertionError(f"the workflow did not end within {TOO_MANY_STATES} states")

    def _attempt(self, state: State, context: dict[str, Any]) -> str:
        """Do a task, and again as its retries say; the next state, with the data it gets."""
        left = [retrier.get("MaxAttempts", 3) for retrier in state.get("Retry", [])]
        given = fill(state["Parameters"], self.data, context) if "Parameters" in state else self.data
        while True:
            try:
                result = self._task(state["Resource"], given)
            except TaskFailed as failure:
                if self._retries(state, failure, left):
                    continue
                [catch] = state["Catch"]
                caught = {"Error": failure.error, "Cause": failure.cause}
                self.data = _placed(catch, self.data, caught)
                return str(catch["Next"])
            if "ResultSelector" in state:
                result = fill(state["ResultSelector"], result, context)
            self.data = _placed(state, self.data, result)
            return str(state["Next"])

    def _retries(self, state: State, failure: TaskFailed, left: list[int]) -> bool:
        for place, retrier in enumerate(state.get("Retry", [])):
            if failure.error in retrier["ErrorEquals"]:
                left[place] -= 1
                self._sleep(retrier["IntervalSeconds"])
                return left[place] >= 0
        return False


def resolve(path: str, data: Any, context: dict[str, Any]) -> Any:
    """What a path or an intrinsic function leads to; a missing member is an error, as it is in Step Functions."""
    if not path.startswith("$"):
        function, _, arguments = path.removesuffix(")").partition("(")
        return FUNCTIONS[function](*(_argument(part.strip(), data, context) for part in arguments.split(", ")))
    found = context if path.startswith("$$") else data
    for member in _members(path):
        found = found[int(member)] if isinstance(found, list) else found[member]
    return found


@cache
def _members(path: str) -> list[str]:
    return re.findall(r"[^.$\[\]]+", path)


def _argument(text: str, data: Any, context: dict[str, Any]) -> Any:
    if text.startswith("'"):
        return text[1:-1].replace("\\'", "'")
    return resolve(text, data, context) if text.startswith(("$", "States.")) else int(text)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "States.Format": lambda form, *values: form.format(*values),
    "States.MathAdd": lambda first, second: first + second,
    "States.StringSplit": lambda text, marks: [part for part in re.split(f"[{re.escape(marks)}]", text) if part],
}


def fill(template: Any, data: Any, context: dict[str, Any]) -> Any:
    """A template with its paths followed."""
    if not isinstance(template, dict):
        return template
    return {
        key.removesuffix(".$"): resolve(value, data, context) if key.endswith(".$") else fill(value, data, context)
        for key, value in template.items()
    }


def holds(rule: dict[str, Any], data: Any) -> bool:
    """Whether a choice's rule holds."""
    if "And" in rule:
        return all(holds(part, data) for part in rule["And"])
    if "Or" in rule:
        return any(holds(part, data) for part in rule["Or"])
    if "Not" in rule:
        return not holds(rule["Not"], data)
    value = resolve(rule["Variable"], data, {})
    if "StringMatches" in rule:
        return fnmatchcase(value, rule["StringMatches"])
    if "NumericGreaterThanEquals" in rule:
        return bool(value >= rule["NumericGreaterThanEquals"])
    return bool(value == rule.get("StringEquals", rule.get("BooleanEquals")))


def _placed(state: State, data: Any, result: Any) -> Any:
    """The data with a result at its place; without a place, the result alone; with none, the data."""
    path = state.get("ResultPath", "$")
    if path is None:
        return data
    return result if path == "$" else {**data, path.removeprefix("$."): result}
