"""What a probe of one resource is, and the few forms that most probes have."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

ClientFactory = Callable[[str], Any]


class Missing(Exception):
    """The service does not describe the resource, or describes it other than it was declared."""


@dataclass(frozen=True, kw_only=True)
class Resource:
    """A resource as the template declares it and as CloudFormation holds it.

    Attributes:
        stack: Its stack's name.
        logical_id: Its name in the template.
        type: Its type.
        physical_id: What CloudFormation calls it, or None where it was not created.
        properties: What the template says, its references unresolved.
        condition: The condition it is created under.
        peers: The physical ids of all resources of its stack.
        exports: What other stacks export, by name.
    """

    stack: str
    logical_id: str
    type: str
    physical_id: str | None
    properties: Mapping[str, Any]
    condition: str | None
    peers: Mapping[str, str]
    exports: Mapping[str, str]

    @property
    def id(self) -> str:
        """The physical id of a resource that is there."""
        if self.physical_id is None:
            raise Missing(f"{self.logical_id} was not created")
        return self.physical_id

    def literal(self, *path: str) -> Any:
        """A property, where the template states it as a plain value; otherwise None."""
        value: Any = self.properties
        for name in path:
            value = value.get(name) if isinstance(value, Mapping) else None
        return None if isinstance(value, Mapping) else value

    def peer(self, value: Any) -> str:
        """The physical id, or the exported value, that a reference to another resource stands for.

        Raises:
            Missing: The value refers to no resource of this stack and to no export of another.
        """
        if isinstance(value, str):
            return value
        imported = value.get("Fn::ImportValue")
        if isinstance(imported, str) and imported in self.exports:
            return self.exports[imported]
        target = value.get("Ref") or (value.get("Fn::GetAtt") or [None])[0]
        if target not in self.peers:
            raise Missing(f"{self.logical_id} refers to {value}, which is not a resource of {self.stack}")
        return self.peers[target]


Probe = Callable[[ClientFactory, Resource], str]


def require(condition: object, message: str) -> None:
    """Say what is missing, unless the condition holds.

    Raises:
        Missing: It does not.
    """
    if not condition:
        raise Missing(message)


def get(service: str, operation: str, parameter: str, *, member: str | None = None) -> Probe:
    """A probe that asks for the resource by its physical id; the service refuses one that is not there.

    Args:
        service: boto3's name of the service.
        operation: The client's method.
        parameter: The parameter that takes the physical id.
        member: The member of the answer that must hold something, where the service answers either way.
    """

    def probe(client: ClientFactory, resource: Resource) -> str:
        answer = getattr(client(service), operation)(**{parameter: resource.id})
        require(member is None or answer.get(member), f"{service} {operation} knows no {resource.id}")
        return f"{service} {operation}"

    return probe


def get_list(service: str, operation: str, parameter: str, member: str) -> Probe:
    """A probe that asks for a list of ids; the answer must hold exactly the one."""

    def probe(client: ClientFactory, resource: Resource) -> str:
        answer = getattr(client(service), operation)(**{parameter: [resource.id]})
        require(len(answer[member]) == 1, f"{service} {operation} knows no {resource.id}")
        return f"{service} {operation}"

    return probe


def get_by_name(service: str, operation: str, parameter: str) -> Probe:
    """A probe that asks by the name at the end of the physical id, which is an ARN."""

    def probe(client: ClientFactory, resource: Resource) -> str:
        getattr(client(service), operation)(**{parameter: resource.id.rpartition("/")[2]})
        return f"{service} {operation}"

    return probe
