"""One embedded AWS for all tests of this folder; each test names its resources after itself."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from embedded.server import EmbeddedAws
from tests.embedded.serving import Serving


def _eventually(look: Callable[[], Any], *, within: float = 60.0) -> Any:
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.05)
    return None


class Stacks:
    """Deploys templates and tells how it went."""

    def __init__(self, aws: EmbeddedAws) -> None:
        self._cloudformation = aws.client("cloudformation")

    def deploy(self, name: str, resources: dict[str, Any], **sections: Any) -> str:
        """Create the stack, or update it where it exists; answers the status it settles in."""
        act = self._cloudformation.create_stack
        if name in self.names():
            act = self._cloudformation.update_stack
        body = json.dumps({"Resources": resources, **sections})
        act(StackName=name, TemplateBody=body, Capabilities=["CAPABILITY_NAMED_IAM"])
        return self.settled(name)

    def names(self) -> set[str]:
        """The stacks that exist."""
        stacks = self._cloudformation.describe_stacks()["Stacks"]
        return {stack["StackName"] for stack in stacks if stack["StackStatus"] != "DELETE_COMPLETE"}

    def settled(self, name: str) -> str:
        """The stack's status, once nothing is in progress."""

        def look() -> str | None:
            status = self._cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]
            return None if status.endswith("IN_PROGRESS") else str(status)

        return str(_eventually(look))

    def outputs(self, name: str) -> dict[str, str]:
        """The stack's outputs."""
        stack = self._cloudformation.describe_stacks(StackName=name)["Stacks"][0]
        return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}

    def why(self, name: str) -> str:
        """The reasons that the stack's events give."""
        events = self._cloudformation.describe_stack_events(StackName=name)["StackEvents"]
        return "; ".join(e["ResourceStatusReason"] for e in events if e.get("ResourceStatusReason"))

    def delete(self, name: str) -> None:
        """Delete the stack and wait until it is gone."""
        self._cloudformation.delete_stack(StackName=name)
        assert _eventually(lambda: name not in self.names()), f"{name} was not deleted: {self.why(name)}"


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedAws]:
    """The running server."""
    with EmbeddedAws(tmp_path_factory.mktemp("aws")) as server:
        yield server


@pytest.fixture
def stacks(aws: EmbeddedAws) -> Stacks:
    """CloudFormation, with waiting."""
    return Stacks(aws)


@pytest.fixture(scope="session")
def serving(aws: EmbeddedAws) -> Serving:
    """Models and endpoints that answer a fixed text."""
    return Serving(aws)


@pytest.fixture
def eventually() -> Callable[..., Any]:
    """`eventually(look)`: what `look` finds, as soon as it finds something; None after a minute."""
    return _eventually
