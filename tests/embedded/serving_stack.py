"""A serving stack as it is synthesised, deployed alone: what it imports from other stacks is stood in for."""

import json
from typing import Any

from embedded.server import EmbeddedAws
from tests.embedded.serving import BUCKET, ROLE, Serving

NOTHING = {"ModelPackageArn": "none", "ModelVersion": "none", "EvidenceUri": "none"}


class ServingStack:
    """Creates the stack without a version, and moves its parameters as the reconcile workflow does.

    Args:
        aws: The running server.
        serving: Makes the artefacts of versions.
        name: The stack's name.
        template: As synthesised.
        group: The model package group whose versions it serves.
    """

    def __init__(self, aws: EmbeddedAws, serving: Serving, *, name: str, template: dict[str, Any], group: str) -> None:
        self.name = name
        self._serving = serving
        self._cloudformation = aws.client("cloudformation")
        self._sagemaker = aws.client("sagemaker")
        self._group = group
        self._sagemaker.create_model_package_group(ModelPackageGroupName=group)
        body = json.dumps(_standing_alone(template, _stand_ins(aws)))
        self._cloudformation.create_stack(StackName=name, TemplateBody=body, Capabilities=["CAPABILITY_IAM"])
        assert self.settled() == "CREATE_COMPLETE", self.why()

    def version(self, answer: str) -> str:
        """Register a version that gives this answer, and its ARN."""
        name = f"{self.name}-{answer}"
        self._serving.model(name, answer)
        container = self._sagemaker.describe_model(ModelName=name)["PrimaryContainer"]
        self._sagemaker.delete_model(ModelName=name)
        package = self._sagemaker.create_model_package(
            ModelPackageGroupName=self._group,
            ModelApprovalStatus="Approved",
            InferenceSpecification={
                "Containers": [{key: container[key] for key in ("Image", "ModelDataUrl", "Environment")}],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["text/csv"],
            },
        )
        return str(package["ModelPackageArn"])

    def serve(self, package: str) -> str:
        """Move to a version; the status that the stack settles in."""
        number = package.rpartition("/")[2]
        return self.move(ModelPackageArn=package, ModelVersion=number, EvidenceUri=f"s3://{BUCKET}/evidence")

    def move(self, **parameters: str) -> str:
        """Set these parameters and keep the others; the status that the stack settles in."""
        [stack] = self._cloudformation.describe_stacks(StackName=self.name)["Stacks"]
        names = [parameter["ParameterKey"] for parameter in stack["Parameters"]]
        self._cloudformation.update_stack(
            StackName=self.name,
            UsePreviousTemplate=True,
            Parameters=[
                {"ParameterKey": name, "ParameterValue": parameters[name]}
                if name in parameters
                else {"ParameterKey": name, "UsePreviousValue": True}
                for name in names
            ],
            Capabilities=["CAPABILITY_IAM"],
        )
        return self.settled()

    def settled(self) -> str:
        """The stack's status, once nothing is in progress."""

        def look() -> str | None:
            [stack] = self._cloudformation.describe_stacks(StackName=self.name)["Stacks"]
            return None if stack["StackStatus"].endswith("IN_PROGRESS") else str(stack["StackStatus"])

        return str(self._serving.eventually(look))

    def outputs(self) -> dict[str, str]:
        """The stack's outputs."""
        [stack] = self._cloudformation.describe_stacks(StackName=self.name)["Stacks"]
        return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}

    def resource(self, type_: str, containing: str = "") -> str:
        """The physical id of the one resource of that type."""
        found = self._cloudformation.describe_stack_resources(StackName=self.name)["StackResources"]
        [physical] = [
            r["PhysicalResourceId"]
            for r in found
            if r["ResourceType"] == type_ and containing in r["LogicalResourceId"]
        ]
        return str(physical)

    def types(self) -> set[str]:
        """The types of all resources that there are."""
        found = self._cloudformation.describe_stack_resources(StackName=self.name)["StackResources"]
        return {r["ResourceType"] for r in found if r["ResourceStatus"] != "DELETE_COMPLETE"}

    def why(self) -> str:
        """The reasons that the stack's events give."""
        events = self._cloudformation.describe_stack_events(StackName=self.name)["StackEvents"]
        return "; ".join(e["ResourceStatusReason"] for e in events if e.get("ResourceStatusReason"))

    def delete(self) -> None:
        """Delete the stack and the group with its versions, and wait until they are gone."""
        self._cloudformation.delete_stack(StackName=self.name)
        self._serving.eventually(self._is_gone)
        versions = self._sagemaker.list_model_packages(ModelPackageGroupName=self._group)["ModelPackageSummaryList"]
        for version in versions:
            self._sagemaker.delete_model_package(ModelPackageName=version["ModelPackageArn"])
        self._sagemaker.delete_model_package_group(ModelPackageGroupName=self._group)

    def _is_gone(self) -> bool:
        stacks = self._cloudformation.describe_stacks()["Stacks"]
        return all(s["StackName"] != self.name or s["StackStatus"] == "DELETE_COMPLETE" for s in stacks)


def _stand_ins(aws: EmbeddedAws) -> dict[str, str]:
    """What stands for an export, by a part of its name; the first that is found counts."""
    key = aws.client("kms").create_key()["KeyMetadata"]["Arn"]
    topic = aws.client("sns").create_topic(Name="front-kinds")["TopicArn"]
    queue = f"arn:aws:sqs:{aws.region}:000000000000:front-kinds"
    function = f"arn:aws:lambda:{aws.region}:000000000000:function:front-kinds"
    return {
        "FnGetAttZones": f"arn:aws:s3:::{BUCKET}",
        "RefZones": BUCKET,
        "Keys": key,
        "Notifications": topic,
        "DeadLetters": queue,
        "Role": ROLE,
        "Function": function,
        "Schedules": "default",
        "Subnet": "subnet-0123456789abcdef0",
        "GroupId": "sg-0123456789abcdef0",
        "ServiceBoundary": "arn:aws:iam::aws:policy/PowerUserAccess",
    }


def _standing_alone(template: dict[str, Any], stand_ins: dict[str, str]) -> dict[str, Any]:
    """The template without imports, and without the parameter of the bootstrap."""
    parameters = {name: body for name, body in template["Parameters"].items() if name != "BootstrapVersion"}
    whole: dict[str, Any] = _replaced({**template, "Parameters": parameters}, stand_ins)
    del whole["Rules"]
    return whole


def _replaced(value: Any, stand_ins: dict[str, str]) -> Any:
    if isinstance(value, list):
        return [_replaced(item, stand_ins) for item in value]
    if not isinstance(value, dict):
        return value
    if "Fn::ImportValue" in value:
        export = value["Fn::ImportValue"]
        return next(stand_in for part, stand_in in stand_ins.items() if part in export)
    return {key: _replaced(item, stand_ins) for key, item in value.items()}
