"""The roles of synthesised templates as IAM would see them, and an evaluator that answers for them."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ACCOUNT, REGION = "111122223333", "eu-west-1"
ROOT = Path(__file__).parent.parent.parent
EVALUATOR = Path(__file__).with_name("authorise.mjs")
PSEUDO = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::URLSuffix": "amazonaws.com",
}
Template = dict[str, Any]


@dataclass(frozen=True)
class Role:
    """A role with everything that templates attach to it."""

    stack: str
    logical_id: str
    arn: str
    tags: Mapping[str, str]
    trust: Mapping[str, Any]
    policies: Sequence[Mapping[str, Any]]
    boundary: Mapping[str, Any] | None


@dataclass(frozen=True)
class Request:
    """One call: what, on what, in which circumstances; and what the resource's own policy says of it."""

    action: str
    resource: str
    context: Mapping[str, str] = field(default_factory=dict)
    policy: Mapping[str, Any] | None = None
    owner: str = ""  # the resource's account, where its ARN tells none and it is not the caller's


class Templates:
    """The stacks of one environment, with references among them resolved to plausible ARNs of its account."""

    def __init__(self, stacks: Mapping[str, Template], account: str = ACCOUNT) -> None:
        self._stacks = stacks
        self.account = account
        self._pseudo = {**PSEUDO, "AWS::AccountId": account}
        self._exports = {
            output["Export"]["Name"]: (name, output["Value"])
            for name, template in stacks.items()
            for output in template.get("Outputs", {}).values()
            if "Export" in output
        }

    def roles(self) -> Iterator[Role]:
        for stack, template in self._stacks.items():
            for logical_id, resource in template["Resources"].items():
                if resource["Type"] == "AWS::IAM::Role":
                    yield self._role(stack, logical_id, resource["Properties"])

    def arn_of(self, suffix: str, kind: str, containing: str = "") -> str:
        """The ARN of the one resource of that kind in the stack whose name ends with `suffix`."""
        [stack] = [name for name in self._stacks if name.endswith(f"-{suffix}")]
        resources = self._stacks[stack]["Resources"].items()
        [logical_id] = [key for key, body in resources if body["Type"] == kind and containing in key]
        return self._arn(stack, logical_id)

    def _role(self, stack: str, logical_id: str, properties: dict[str, Any]) -> Role:
        resources = self._stacks[stack]["Resources"]
        boundary = properties.get("PermissionsBoundary")
        attached = [
            body["Properties"]["PolicyDocument"]
            for body in resources.values()
            if body["Type"] in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy")
            and {"Ref": logical_id} in body["Properties"].get("Roles", [])
        ]
        inline = [policy["PolicyDocument"] for policy in properties.get("Policies", [])]
        return Role(
            stack=stack,
            logical_id=logical_id,
            arn=self.resolve(stack, {"Fn::GetAtt": [logical_id, "Arn"]}),
            tags={tag["Key"]: tag["Value"] for tag in properties.get("Tags", [])},
            trust=self.resolve(stack, properties["AssumeRolePolicyDocument"]),
            policies=[self.resolve(stack, document) for document in (*attached, *inline)],
            boundary=None if boundary is None else self._document(stack, boundary),
        )

    def _document(self, stack: str, policy: dict[str, Any]) -> Any:
        """The managed policy that a reference, maybe to another stack, stands for."""
        if "Fn::ImportValue" in policy:
            return self._document(*self._exports[self.resolve(stack, policy["Fn::ImportValue"])])
        return self.resolve(stack, self._stacks[stack]["Resources"][policy["Ref"]]["Properties"]["PolicyDocument"])

    def resolve(self, stack: str, value: Any) -> Any:
        """`value` without intrinsic functions."""
        if isinstance(value, list):
            return [self.resolve(stack, item) for item in value]
        if not isinstance(value, dict):
            return value
        if len(value) != 1:
            return {key: self.resolve(stack, item) for key, item in value.items()}
        [(key, inner)] = value.items()
        if key == "Ref":
            return self._pseudo.get(inner) or self._reference(stack, inner)
        if key == "Fn::GetAtt":
            return self._arn(stack, inner[0]) if inner[1].endswith("Arn") else inner[0].lower()
        if key == "Fn::Join":
            return inner[0].join(str(self.resolve(stack, item)) for item in inner[1])
        if key == "Fn::ImportValue":
            return self.resolve(*self._exports[self.resolve(stack, inner)])
        if key in ("Fn::Select", "Fn::Split"):
            first, rest = inner
            whole = self.resolve(stack, rest)
            return whole[int(first)] if key == "Fn::Select" else whole.split(first)
        if key == "Fn::Sub" and isinstance(inner, str):
            for name, known in self._pseudo.items():
                inner = inner.replace(f"${{{name}}}", known)
            return inner
        if key.startswith("Fn::"):
            raise ValueError(f"{stack}: {key} stands in a policy, and nothing here resolves it.")
        return {key: self.resolve(stack, inner)}

    def _reference(self, stack: str, logical_id: str) -> str:
        kind = self._stacks[stack]["Resources"].get(logical_id, {}).get("Type", "")
        by_arn = (
            "AWS::IAM::ManagedPolicy",
            "AWS::SNS::Topic",
            "AWS::SecretsManager::Secret",
            "AWS::StepFunctions::StateMachine",
        )
        return self._arn(stack, logical_id) if kind in by_arn else logical_id.lower()

    def _arn(self, stack: str, logical_id: str) -> str:
        kind = self._stacks[stack]["Resources"].get(logical_id, {}).get("Type", "AWS::Other::Thing")
        name = logical_id.lower()
        here = f"{REGION}:{self.account}"
        shapes = {
            "AWS::IAM::Role": f"arn:aws:iam::{self.account}:role/{stack}-{name}",  # as CloudFormation names them
            "AWS::IAM::ManagedPolicy": f"arn:aws:iam::{self.account}:policy/{name}",
            "AWS::S3::Bucket": f"arn:aws:s3:::{name}",
            "AWS::KMS::Key": f"arn:aws:kms:{here}:key/{name}",
            "AWS::Lambda::Function": f"arn:aws:lambda:{here}:function:{name}",
            "AWS::StepFunctions::StateMachine": f"arn:aws:states:{here}:stateMachine:{name}",
            "AWS::DynamoDB::Table": f"arn:aws:dynamodb:{here}:table/{name}",
            "AWS::SecretsManager::Secret": f"arn:aws:secretsmanager:{here}:secret:{name}-AbCdEf",
            "AWS::SQS::Queue": f"arn:aws:sqs:{here}:{name}",
            "AWS::SNS::Topic": f"arn:aws:sns:{here}:{name}",
            "AWS::Logs::LogGroup": f"arn:aws:logs:{here}:log-group:{name}:*",
        }
        return shapes.get(kind, f"arn:aws:{kind.split('::')[1].lower()}:{here}:{name}")


def allowed(asked: Sequence[tuple[Role, Request]]) -> list[bool]:
    """Whether IAM allows each request, by an evaluator that is not ours.

    Raises:
        ValueError: The evaluator could not read a policy or a request; an answer would mean nothing.
    """
    node = Path(sys.prefix) / "bin" / "node"
    batch = json.dumps([_simulation(role, request) for role, request in asked])
    done = subprocess.run(
        [str(node), str(EVALUATOR)], input=batch, cwd=ROOT, check=True, capture_output=True, text=True, timeout=300
    )
    answers = json.loads(done.stdout)
    for (role, request), answer in zip(asked, answers, strict=True):
        if answer.startswith("error"):
            raise ValueError(f"{role.logical_id}, {request.action} on {request.resource}: {answer}")
    return [answer == "Allowed" for answer in answers]


def _simulation(role: Role, request: Request) -> dict[str, Any]:
    owner = request.owner or (request.resource.split(":")[4] if request.resource.count(":") > 4 else "")
    name, account = role.arn.rsplit("/", 1)[1], role.arn.split(":")[4]
    known = {f"aws:PrincipalTag/{key}": value for key, value in role.tags.items()}
    known |= {"aws:PrincipalArn": role.arn, "aws:PrincipalAccount": account}
    return {
        "request": {
            "principal": f"arn:aws:sts::{account}:assumed-role/{name}/someone",
            "action": request.action,
            "resource": {"resource": request.resource, "accountId": owner or account},
            "contextVariables": {**known, **request.context},
        },
        "identityPolicies": [{"name": str(n), "policy": policy} for n, policy in enumerate(role.policies)],
        "serviceControlPolicies": [],
        **({"resourcePolicy": request.policy} if request.policy else {}),
        "resourceControlPolicies": [],
        **({"permissionBoundaryPolicies": [{"name": "boundary", "policy": role.boundary}]} if role.boundary else {}),
    }
