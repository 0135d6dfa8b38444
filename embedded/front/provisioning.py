"""Makes ministack's CloudFormation provision the resource types of our own tables."""

import logging
from collections.abc import Callable, Iterable
from typing import Any

from botocore.exceptions import ClientError
from ministack.core.responses import get_account_id, get_region
from ministack.services.cloudformation import provisioners, stacks

from embedded.front.resource_type import ClientFactory, Properties, ResourceType

LOGGER = logging.getLogger(__name__)
_GONE = ("ResourceNotFound", "ResourceNotFoundException", "ObjectNotFoundException", "EntityNotFoundException")


class _AllBut:
    """The properties whose change replaces a resource: every one but a few."""

    def __init__(self, *names: str) -> None:
        self._names = names

    def __contains__(self, name: object) -> bool:
        return name not in self._names


class Provisioner:
    """Creates, updates and deletes the resources of one type, as ministack's stack engine calls for it."""

    def __init__(self, *, type: ResourceType, client: ClientFactory) -> None:
        self._type = type
        self._client = client

    def handlers(self) -> dict[str, Any]:
        """What ministack's table of handlers takes."""
        return {
            "create": self.create,
            "update": self.update,
            "update_with_logical_id": True,
            "delete": self.delete,
        }

    def create(self, logical_id: str, properties: Properties, stack: str) -> tuple[str, dict[str, str]]:
        """Create a resource; answers its physical id and its attributes."""
        given = self._named(logical_id, properties, stack)
        response = self._type.create(self._api, given)
        physical_id = self._type.identify(given, response)
        try:
            self._finish(given)
        except Exception:
            # What did not come up is not left behind: the stack engine only rolls back what it holds.
            self.delete(physical_id, given)
            raise
        return physical_id, self._type.attributes(given, response)

    def update(
        self, physical_id: str, before: Properties, after: Properties, stack: str, logical_id: str
    ) -> tuple[str, dict[str, str]]:
        """Change a resource in place. The stack engine has dealt with what replaces it."""
        given = self._identified(physical_id, after)
        response: dict[str, Any] = {}
        if self._type.arn is not None:
            key, path = self._type.arn
            response[key] = _arn(path, given[str(self._type.name_property)])
            self._retag(response[key], before, after)
        if self._type.update is not None and _untagged(before) != _untagged(after):
            response |= self._type.update(self._api, given)
        self._finish(given)
        return physical_id, self._type.attributes(given, response)

    def delete(self, physical_id: str, properties: Properties) -> None:
        """Delete a resource; one that is gone already is no error."""
        try:
            self._type.delete(self._api, self._identified(physical_id, properties))
        except ClientError as error:
            detail = error.response["Error"]
            if detail["Code"] not in _GONE and "Could not find" not in detail.get("Message", ""):
                raise
            LOGGER.info("%s %s was gone already", self._type.name, physical_id)

    @property
    def _api(self) -> Any:
        return self._client(self._type.service)

    def _finish(self, properties: Properties) -> None:
        if self._type.complete is not None:
            self._type.complete(self._client, properties)
        if self._type.settle is not None:
            self._type.settle(self._client, properties)

    def _named(self, logical_id: str, properties: Properties, stack: str) -> Properties:
        """The properties with a generated name, where the template gives none."""
        name = self._type.name_property
        if name is None or properties.get(name):
            return dict(properties)
        generated = provisioners._physical_name(stack, logical_id, max_len=self._type.name_length)
        return {**properties, name: generated}

    def _identified(self, physical_id: str, properties: Properties) -> Properties:
        """The properties with the name that the physical id carries, where the template gave none."""
        known = {**properties, "PhysicalId": physical_id} if self._type.by_id else dict(properties)
        name = self._type.name_property
        if name is not None and not known.get(name):
            known[name] = physical_id.rpartition("/")[2]
        return known

    def _retag(self, arn: str, before: Properties, after: Properties) -> None:
        old = {tag["Key"]: tag["Value"] for tag in before.get("Tags", [])}
        new = {tag["Key"]: tag["Value"] for tag in after.get("Tags", [])}
        if gone := sorted(old.keys() - new.keys()):
            self._api.delete_tags(ResourceArn=arn, TagKeys=gone)
        if new != old and new:
            tags = [{"Key": key, "Value": value} for key, value in new.items()]
            self._api.add_tags(ResourceArn=arn, Tags=tags)


def register(types: Iterable[ResourceType], *, client: ClientFactory) -> None:
    """Add the types to ministack's tables.

    Their handlers call back into the front door and may wait for it, so they run on a thread of their
    own, as ministack's nested stacks do.
    """
    names = set()
    for type in types:
        names.add(type.name)
        provisioners._RESOURCE_HANDLERS[type.name] = Provisioner(type=type, client=client).handlers()
        replacing = _AllBut("Tags") if type.immutable is None else type.immutable
        provisioners._REPLACING_PROPERTIES[type.name] = replacing
        if type.name_property is not None:
            provisioners._CUSTOM_NAME_REPLACEMENT[type.name] = {"name": type.name_property}
        if type.arn is not None:
            provisioners._STACK_TAG_PROPERTY[type.name] = ("Tags", "list")
    stacks._runs_on_worker_thread = _or_one_of(names, stacks._runs_on_worker_thread)


def _or_one_of(names: set[str], known: Callable[[str], bool]) -> Callable[[str], bool]:
    return lambda name: name in names or known(name)


def _arn(path: str, name: str) -> str:
    return f"arn:aws:sagemaker:{get_region()}:{get_account_id()}:{path}/{name}"


def _untagged(properties: Properties) -> Properties:
    return {key: value for key, value in properties.items() if key != "Tags"}
