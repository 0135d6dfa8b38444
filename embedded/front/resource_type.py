"""How a CloudFormation resource type is created, updated and deleted through its own service's API."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from embedded.front.shapes import from_template

Properties = dict[str, Any]
ClientFactory = Callable[[str], Any]
Adapt = Callable[[Properties], Properties]
Attributes = Callable[[Properties, Mapping[str, Any]], dict[str, str]]


def unchanged(properties: Properties) -> Properties:
    """Properties that are the API's input as they stand."""
    return properties


@dataclass(frozen=True, kw_only=True)
class ApiCall:
    """One API operation, with what becomes of the resource's properties before it."""

    operation: str
    adapt: Adapt = unchanged

    def __call__(self, client: Any, properties: Properties) -> Mapping[str, Any]:
        """Make the call, with the values in the types that the operation declares."""
        shape = client.meta.service_model.operation_model(self.operation).input_shape
        method = client.meta.method_to_api_mapping
        name = next(python for python, operation in method.items() if operation == self.operation)
        response: Mapping[str, Any] = getattr(client, name)(**from_template(shape, self.adapt(properties)))
        return response


@dataclass(frozen=True, kw_only=True)
class ResourceType:
    """One resource type.

    Attributes:
        name: `AWS::Service::Resource`.
        service: boto3's name of its service.
        create: The call that creates it.
        update: The call that changes it in place, or None where a change replaces it.
        delete: The call that deletes it; it gets the properties with the generated name among them.
        identify: What `Ref` gives, from the properties and the answer to `create`.
        attributes: What `Fn::GetAtt` gives.
        name_property: The property that CloudFormation fills where the template leaves it out.
        name_length: The longest name it may generate.
        immutable: The properties whose change replaces the resource; None means all but the tags.
        arn: The member of the answer to `create` that holds its ARN, and what the ARN says before the name.
            A type that has one takes tags, and a change of tags alone updates it in place.
        by_id: Whether `delete` finds it by its physical id, which it then gets as `PhysicalId`.
        settle: Waits until the resource is up, and raises what went wrong.
        complete: Adds, after create or update, what belongs to the resource but to another call.
    """

    name: str
    service: str
    create: ApiCall
    delete: ApiCall
    identify: Callable[[Properties, Mapping[str, Any]], str]
    update: ApiCall | None = None
    attributes: Attributes = field(default=lambda properties, response: {})
    name_property: str | None = None
    name_length: int = 63
    immutable: tuple[str, ...] | None = None
    arn: tuple[str, str] | None = None
    by_id: bool = False
    settle: Callable[[ClientFactory, Properties], None] | None = None
    complete: Callable[[ClientFactory, Properties], None] | None = None


def renamed(names: Mapping[str, str]) -> Adapt:
    """Properties that the API knows under other names."""
    return lambda properties: {names.get(key, key): value for key, value in properties.items()}


def without(*names: str) -> Adapt:
    """Properties that the call does not take."""
    return lambda properties: {key: value for key, value in properties.items() if key not in names}


def only(*names: str) -> Adapt:
    """The few properties that the call takes."""
    return lambda properties: {name: properties[name] for name in names if name in properties}
