"""Looks up every deployed resource through its own service's API: what is declared must really be there."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from embedded.probe import Missing, Resource
from embedded.probes import PROBES
from embedded.server import EmbeddedAws

# The CDK's own note about which constructs a stack uses; it stands for nothing in any service.
_NO_RESOURCE = ("AWS::CDK::Metadata",)


class Row(NamedTuple):
    """One declared resource: whether its service describes it, and by which calls or why not."""

    logical_id: str
    type: str
    described: bool
    how: str


def describe(aws: EmbeddedAws, cloud_assembly: Path) -> list[Row]:
    """Look up every resource that the deployed stacks of a cloud assembly declare.

    A type that has no probe counts as not described. So does a resource whose condition does not hold:
    it is declared and not there.

    Args:
        aws: The running embedded AWS.
        cloud_assembly: The folder that was deployed.

    Returns:
        A row for each resource, its logical id preceded by its stack's name.
    """
    deployed, exports = _deployed(aws), _exports(aws)
    rows = []
    for stack, template in _templates(cloud_assembly):
        if stack in deployed:
            rows += [_row(aws, resource) for resource in _resources(aws, stack, template, exports)]
    return rows


def _deployed(aws: EmbeddedAws) -> set[str]:
    pages = aws.client("cloudformation").get_paginator("describe_stacks").paginate()
    return {
        stack["StackName"]
        for page in pages
        for stack in page["Stacks"]
        if stack["StackStatus"] in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE")
    }


def _exports(aws: EmbeddedAws) -> dict[str, str]:
    pages = aws.client("cloudformation").get_paginator("list_exports").paginate()
    return {export["Name"]: export["Value"] for page in pages for export in page["Exports"]}


def _templates(assembly: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each stack's name and template, through the nested assemblies of stages."""
    manifest = json.loads((assembly / "manifest.json").read_text(encoding="utf-8"))
    for artifact in manifest.get("artifacts", {}).values():
        properties = artifact.get("properties", {})
        if artifact["type"] == "cdk:cloud-assembly":
            yield from _templates(assembly / properties["directoryName"])
        elif artifact["type"] == "aws:cloudformation:stack":
            template = json.loads((assembly / properties["templateFile"]).read_text(encoding="utf-8"))
            yield properties["stackName"], template


def _resources(
    aws: EmbeddedAws, stack: str, template: Mapping[str, Any], exports: Mapping[str, str]
) -> Iterator[Resource]:
    pages = aws.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
    physical = {
        summary["LogicalResourceId"]: summary["PhysicalResourceId"]
        for page in pages
        for summary in page["StackResourceSummaries"]
    }
    for logical_id, declared in template["Resources"].items():
        if declared["Type"] not in _NO_RESOURCE:
            yield Resource(
                stack=stack,
                logical_id=logical_id,
                type=declared["Type"],
                physical_id=physical.get(logical_id),
                properties=declared.get("Properties", {}),
                condition=declared.get("Condition"),
                peers=physical,
                exports=exports,
            )


def _row(aws: EmbeddedAws, resource: Resource) -> Row:
    described, how = _look_up(aws, resource)
    return Row(f"{resource.stack}.{resource.logical_id}", resource.type, described, how)


def _look_up(aws: EmbeddedAws, resource: Resource) -> tuple[bool, str]:
    if resource.physical_id is None:
        condition = f": its condition {resource.condition} does not hold" if resource.condition else ""
        return False, f"CloudFormation has not created it{condition}"
    probe = PROBES.get(resource.type)
    if probe is None:
        return False, "no probe knows this type; add one to embedded/probes.py"
    try:
        return True, probe(aws.client, resource)
    except (Missing, ClientError, BotoCoreError) as error:
        return False, str(error)
