"""A registry, a stack and an endpoint to reconcile, and the workflow at work on them."""

import hashlib
import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from pipeline_scripts.functions.evidence_archive import Archive
from pipeline_scripts.functions.evidence_bundle import BUNDLE, NEEDED, SIGNATURE
from pipeline_scripts.functions.evidence_objects import Objects
from pipeline_scripts.functions.evidence_signature import sign
from pipeline_scripts.functions.json_object import sha256_of
from pipeline_scripts.functions.reconcile_beside import CHALLENGER, SHADOW
from pipeline_scripts.functions.reconcile_choose import Rules, choose
from pipeline_scripts.functions.reconcile_ledger import Ledger
from pipeline_scripts.functions.reconcile_parameters import explains
from pipeline_scripts.functions.reconcile_pin import pin
from pipeline_scripts.functions.reconcile_prove import prove
from pipeline_scripts.functions.reconcile_record import record
from pipeline_scripts.functions.reconcile_recover import recover
from pipeline_scripts.functions.reconcile_update import update
from pipeline_scripts.functions.reconcile_verify import verify
from pipeline_scripts.functions.reconcile_watch import watch
from tests.runtime.lineage_told import LineageTold
from tests.runtime.reconcile_definition import definition
from tests.runtime.state_machine import Machine, TaskFailed

GROUP, STACK, ENDPOINT = "baton-dev-bank-churn", "baton-dev-bank-churn-serving", "baton-dev-bank-churn"
MODELS, EVIDENCE, TABLE = "models", "evidence", "ledger"
GOOD_MACHINES = "ml.m5.large", "ml.m5.xlarge"
BAD_MACHINES = {"ml.p5.48xlarge": "no capacity", "ml.c4.large": "slow"}
UNSTARTABLE = "broken stack", "failed endpoint"
"""How a version behaves that cannot be brought to stand beside another."""
FAST, SLOW, MAX_LATENCY_MS = 0.01, 0.5, 200  # seconds, seconds, milliseconds
TOPIC = "arn:aws:sns:eu-west-1:000000000000:people"


@dataclass
class Version:
    """A version in the registry, and how it behaves when it is deployed."""

    number: int
    status: str = "PendingManualApproval"
    behaviour: str = (
        "good"  # or: broken stack, silent rollback, wrong answers, slow answers, model error, failed endpoint
    )
    probability: float = 0.25

    @property
    def arn(self) -> str:
        return f"arn:aws:sagemaker:eu-west-1:000000000000:model-package/{GROUP}/{self.number}"

    @property
    def artifact(self) -> bytes:
        return f"model {self.number}".encode()

    @property
    def artifact_sha256(self) -> str:
        return hashlib.sha256(self.artifact).hexdigest()

    @property
    def answer(self) -> bytes:
        """What it answers to the canary."""
        return f"{0.9 if self.behaviour == 'wrong answers' else self.probability}\n".encode()

    @property
    def execution(self) -> str:
        return f"arn:aws:sagemaker:eu-west-1:000000000000:pipeline/{GROUP}/execution/run-{self.number}"

    @property
    def evidence_uri(self) -> str:
        return f"s3://{EVIDENCE}/bank_churn/run-{self.number}"


def refused(code: str, message: str, call: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, call)


CONTAINER = {"Image": "registry/xgboost:3.0-5", "Environment": {"SAGEMAKER_PROGRAM": "inference.py"}}


def config_of(parameters: dict[str, str]) -> str | None:
    """The configuration that CloudFormation makes of the stack's parameters."""
    if parameters["ModelPackageArn"] == "none":
        return None
    version = parameters["ModelPackageArn"].rpartition("/")[2]
    explained = "explained" if explains(parameters) else None
    numbers = map(str, beside_of(parameters).values())
    return "-".join(filter(None, ("config", version, parameters.get("InstanceType"), explained, *numbers)))


def beside_of(parameters: dict[str, str]) -> dict[str, int]:
    """The versions that the stack's parameters have stand beside the one that serves, if one does."""
    if parameters["ModelPackageArn"] == "none":
        return {}
    named = {name: parameters.get(name, "none").rpartition("/")[2] for name in (CHALLENGER, SHADOW)}
    return {name: int(number) for name, number in named.items() if number != "none"}


@dataclass
class World:
    """Everything the handlers talk to. DynamoDB, S3 and KMS are moto's; the rest is here, and moves at each look."""

    LIMIT_SECONDS: ClassVar[int] = 3_600

    dynamodb: Any
    s3: Any
    kms: Any
    key_arn: str
    versions: dict[int, Version] = field(default_factory=dict)
    now: float = 1_000_000.0
    status: str = "CREATE_COMPLETE"
    parameters: dict[str, str] = field(
        default_factory=lambda: {
            "ModelPackageArn": "none",
            "ModelVersion": "none",
            "EvidenceUri": "none",
            "BootstrapVersion": "21",
        }
    )
    serving: int | None = None
    beside: dict[str, int] = field(default_factory=dict)
    config: str | None = None
    instance_type: str = ""
    when_none_approved: str = "withdraw"
    failing_rollbacks: int = 0
    tokens: set[str] = field(default_factory=set)
    refused_by_sagemaker: list[str] = field(default_factory=list)
    elapsed: float = 0.0
    called: list[str] = field(default_factory=list)
    endpoint_status: str = "InService"
    updates: list[dict[str, Any]] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    sealed: dict[int, str] = field(default_factory=dict)
    approver: str = "officer"
    lineage: LineageTold = field(default_factory=LineageTold)
    before_step: Callable[[str], None] = lambda step: None
    _ticks: Iterator[Callable[[], None]] = field(default_factory=lambda: iter(()))

    # -- what people do ------------------------------------------------------------------------------------------

    def register(
        self, number: int, *, status: str = "Approved", behaviour: str = "good", probability: float | None = None
    ) -> Version:
        known = 0.1 + number / 100 if probability is None else probability
        version = Version(number=number, status=status, behaviour=behaviour, probability=known)
        self.versions[number] = version
        folder = f"bank_churn/run-{number}"
        self.s3.put_object(Bucket=MODELS, Key=f"{folder}/output/model.tar.gz", Body=version.artifact)
        for name in NEEDED:
            self.put_evidence(number, name, {})
        self.put_evidence(number, "gate/gate.json", {"passed": 1, "artifact_sha256": version.artifact_sha256})
        inputs = {"names": ["balance", "country"], "types": ["numerical", "categorical"]}
        canary = {"request": "1,2", "expected": version.probability}
        self.put_evidence(number, "evaluation/evaluation.json", {"canary": canary, "explained_inputs": inputs})
        self.seal(number)
        return version

    def put_evidence(self, number: int, name: str, content: Any) -> None:
        self.s3.put_object(Bucket=EVIDENCE, Key=f"bank_churn/run-{number}/{name}", Body=json.dumps(content).encode())

    def seal(self, number: int) -> None:
        """Bundle and sign the evidence as it is now, and register the bundle's hash with the version."""
        version, prefix = self.versions[number], f"bank_churn/run-{number}/"
        keys = [entry["Key"] for entry in self.s3.list_objects_v2(Bucket=EVIDENCE, Prefix=prefix)["Contents"]]
        hashes = {
            key.removeprefix(prefix): hashlib.sha256(self.read_evidence(key)).hexdigest()
            for key in keys
            if not key.startswith(f"{prefix}evidence/")
        }
        bundle = {
            "model": "bank_churn",
            "execution": version.execution,
            "commit": "abc",
            "dataset": {"hash": "d" * 64},
            "artifact": {"sha256": version.artifact_sha256},
            "image": CONTAINER["Image"],
            "environment_sha256": sha256_of(CONTAINER["Environment"]),
            "files": hashes,
        }
        content = json.dumps(bundle).encode()
        digest = hashlib.sha256(content).hexdigest()
        self.s3.put_object(Bucket=EVIDENCE, Key=f"{prefix}{BUNDLE}", Body=content)
        signature = sign(self.kms, key_arn=self.key_arn, digest=digest)
        self.s3.put_object(Bucket=EVIDENCE, Key=f"{prefix}{SIGNATURE}", Body=signature)
        self.sealed[number] = digest

    def read_evidence(self, key: str) -> bytes:
        content: bytes = self.s3.get_object(Bucket=EVIDENCE, Key=key)["Body"].read()
        return content

    def decide(self, number: int, status: str) -> None:
        self.versions[number].status = status

    def scale(self, instance_type: str) -> None:
        """Let the stack have the parameters of a scaled variant."""
        self.parameters |= {"InstanceType": instance_type, "Scaling": "on"}
        self.instance_type = instance_type

    def ask(self, action: str, version: int | None = None, *, by: str = "engineer") -> dict[str, Any]:
        """Pin, unpin or go back, as the command does."""
        event = {"action": action, "by": by, "reason": "a reason"} | ({"version": str(version)} if version else {})
        answer = pin(
            event,
            ledger=self.ledger,
            sagemaker=self,
            states=self,
            group=GROUP,
            state_machine_arn="machine",
            clock=lambda: self.now,
        )
        self.now += 1
        return answer

    def start_execution(self, *, stateMachineArn: str, input: str) -> dict[str, Any]:
        self.called.append(json.loads(input)["cause"])
        return {"executionArn": f"{stateMachineArn}:{len(self.called)}"}

    @property
    def ledger(self) -> Ledger:
        return Ledger(client=self.dynamodb, table=TABLE, endpoint=ENDPOINT, clock=lambda: self.now)

    # -- sagemaker -----------------------------------------------------------------------------------------------

    def get_paginator(self, operation: str) -> Any:
        assert operation == "list_model_packages"
        return self

    def paginate(self, *, ModelPackageGroupName: str, ModelApprovalStatus: str) -> Iterator[dict[str, Any]]:
        for version in self.versions.values():  # a page each, oldest first
            if version.status == ModelApprovalStatus:
                summary = {
                    "ModelPackageArn": version.arn,
                    "ModelPackageVersion": version.number,
                    "ModelPackageStatus": "Completed",
                }
                yield {"ModelPackageSummaryList": [summary]}

    def describe_model_package(self, *, ModelPackageName: str) -> dict[str, Any]:
        version = self.versions[int(ModelPackageName.rpartition("/")[2])]
        uri = f"s3://{MODELS}/bank_churn/run-{version.number}/output/model.tar.gz"
        return {
            "ModelPackageArn": version.arn,
            "ModelPackageVersion": version.number,
            "ModelApprovalStatus": version.status,
            "InferenceSpecification": {"Containers": [{**CONTAINER, "ModelDataUrl": uri}]},
            "LastModifiedBy": {"IamIdentity": {"Arn": f"arn:aws:iam::000000000000:role/{self.approver}"}},
            "CustomerMetadataProperties": {
                "evidence_uri": version.evidence_uri,
                "artifact_sha256": version.artifact_sha256,
                "evidence_sha256": self.sealed.get(version.number, ""),
                "pipeline_execution": version.execution,
                "dataset_hash": "d" * 64,
                "commit": "abc",
                "author": "ada@bank.example",
            },
        }

    def describe_endpoint(self, *, EndpointName: str) -> dict[str, Any]:
        if self.serving is None:
            raise refused("ValidationException", "Could not find endpoint", "DescribeEndpoint")
        return {"EndpointStatus": self.endpoint_status, "EndpointConfigName": self.config}

    def invoke_endpoint(self, *, EndpointName: str, Body: bytes, **_: Any) -> dict[str, Any]:
        if self.endpoint_status != "InService":
            raise refused("ValidationError", f"Endpoint is {self.endpoint_status}", "InvokeEndpoint")
        version = self.versions[self.serving or 0]
        self.elapsed += SLOW if self.is_slow(version) else FAST
        if version.behaviour == "model error":
            raise refused("ModelError", "no module named inference", "InvokeEndpoint")
        return {"Body": io.BytesIO(version.answer)}

    def is_slow(self, version: Version) -> bool:
        """Whether it, or what it runs on, takes too long for an answer."""
        return version.behaviour == "slow answers" or any(name in (self.config or "") for name in BAD_MACHINES)

    # -- cloudformation ------------------------------------------------------------------------------------------

    def describe_stacks(self, *, StackName: str) -> dict[str, Any]:
        next(self._ticks, lambda: None)()
        outputs = {"EndpointName": ENDPOINT}
        if self.parameters["ModelPackageArn"] != "none":
            outputs |= {
                "EndpointConfigName": config_of(self.parameters),
                "ServedModelPackageArn": self.parameters["ModelPackageArn"],
            }
        return {
            "Stacks": [
                {
                    "StackStatus": self.status,
                    "Parameters": [{"ParameterKey": k, "ParameterValue": v} for k, v in self.parameters.items()],
                    "Outputs": [{"OutputKey": k, "OutputValue": v} for k, v in outputs.items()],
                }
            ]
        }

    def describe_stack_events(self, *, StackName: str) -> dict[str, Any]:
        stack = {"ResourceType": "AWS::CloudFormation::Stack", "LogicalResourceId": STACK}
        endpoint = {"ResourceType": "AWS::SageMaker::Endpoint", "LogicalResourceId": "Endpoint"}
        failed = {**endpoint, "ResourceStatus": "UPDATE_FAILED", "ResourceStatusReason": "no capacity"}
        return {
            "StackEvents": [
                {**stack, "ResourceStatus": "UPDATE_ROLLBACK_COMPLETE"},
                failed,
                {**stack, "ResourceStatus": "UPDATE_IN_PROGRESS"},
                {**endpoint, "ResourceStatus": "UPDATE_FAILED", "ResourceStatusReason": "an older story"},
            ]
        }

    def update_stack(self, **request: Any) -> None:
        wanted = {p["ParameterKey"]: p.get("ParameterValue") for p in request["Parameters"]}
        assert wanted.keys() == self.parameters.keys(), "a parameter that is left out goes back to its default"
        self._take(request["ClientRequestToken"], "UpdateStack")
        if self.status.endswith("_IN_PROGRESS") or self.status == "UPDATE_ROLLBACK_FAILED":
            raise refused("ValidationError", f"Stack is in {self.status} state and can not be updated.", "UpdateStack")
        new = {key: value if value is not None else self.parameters[key] for key, value in wanted.items()}
        if new == self.parameters:
            raise refused("ValidationError", "No updates are to be performed.", "UpdateStack")
        self.updates.append(request)
        self.refused_by_sagemaker += self.refusals(new)
        self.status = "UPDATE_IN_PROGRESS"
        self._ticks = iter([lambda: None, lambda: self._land(new)])

    def continue_update_rollback(self, *, StackName: str, RoleARN: str, ClientRequestToken: str) -> None:
        self._take(ClientRequestToken, "ContinueUpdateRollback")
        if self.status != "UPDATE_ROLLBACK_FAILED":
            message = f"Stack is in {self.status} state and its rollback can not be continued."
            raise refused("ValidationError", message, "ContinueUpdateRollback")
        self.status = "UPDATE_ROLLBACK_IN_PROGRESS"
        self._ticks = iter([lambda: None, self._end_rollback])

    def _take(self, token: str, call: str) -> None:
        if token in self.tokens:
            raise refused("TokenAlreadyExistsException", "The token was used.", call)
        self.tokens.add(token)

    def _end_rollback(self) -> None:
        self.status = "UPDATE_ROLLBACK_FAILED" if self.failing_rollbacks else "UPDATE_ROLLBACK_COMPLETE"
        self.failing_rollbacks = max(0, self.failing_rollbacks - 1)

    def _land(self, new: dict[str, str]) -> None:
        number = None if new["ModelPackageArn"] == "none" else int(new["ModelVersion"])
        behaviour = self.versions[number].behaviour if number is not None else "good"
        if not self.touches_endpoint(new):
            self.status, self.parameters = "UPDATE_COMPLETE", new
            return
        if self.refusals(new) or self.cannot_start(new):
            self.status = "UPDATE_ROLLBACK_COMPLETE"
            return
        self.status, self.parameters = "UPDATE_COMPLETE", new
        if behaviour == "silent rollback" and self.serving is not None:
            return
        self.serving, self.beside, self.config = number, beside_of(new), config_of(new)
        self.endpoint_status = "Failed" if behaviour == "failed endpoint" else "InService"

    def cannot_start(self, new: dict[str, str]) -> bool:
        """Whether the endpoint never comes to be what these parameters ask for."""
        if new["ModelPackageArn"] == "none":
            return False
        served, beside = self.versions[int(new["ModelVersion"])], beside_of(new).values()
        broken = served.behaviour == "broken stack" or any(self.versions[n].behaviour in UNSTARTABLE for n in beside)
        return broken or BAD_MACHINES.get(new.get("InstanceType", "")) == "no capacity"

    def touches_endpoint(self, new: dict[str, str]) -> bool:
        """CloudFormation compares with what it asked for last, and never looks at what the endpoint runs."""
        return config_of(new) != config_of(self.parameters)

    def refusals(self, new: dict[str, str]) -> list[str]:
        """What SageMaker does not let happen to an endpoint that is there and stays."""
        if self.serving is None or new["ModelPackageArn"] == "none" or not self.touches_endpoint(new):
            return []
        why = []
        if self.endpoint_status in ("Failed", "OutOfService"):
            why.append(f"an endpoint that is {self.endpoint_status} can only be deleted")
        old_type, new_type = (of.get("InstanceType") for of in (self.parameters, new))
        if old_type != new_type and "on" in (self.parameters["Scaling"], new["Scaling"]):
            why.append("a variant that scales keeps its instance type")
        return why

    # -- sns -----------------------------------------------------------------------------------------------------

    def publish(self, *, Subject: str, Message: str, **_: Any) -> None:
        assert len(Subject) <= 100
        self.notices.append(Subject)
        self.messages.append(Message)

    # -- the workflow --------------------------------------------------------------------------------------------

    def step(self, name: str, event: dict[str, Any]) -> dict[str, Any]:
        """Call one handler's function, with JSON in and out as Lambda would."""
        self.before_step(name)
        event = json.loads(json.dumps(event))
        cloud: dict[str, Any] = {"cloudformation": self, "stack_name": STACK}
        at_endpoint: dict[str, Any] = {**cloud, "sagemaker": self, "endpoint_name": self.rules.endpoint_name}
        match name:
            case "choose":
                answer = choose(
                    event,
                    ledger=self.ledger,
                    sagemaker=self,
                    cloudformation=self,
                    rules=self.rules,
                    now=self.now,
                    limit_seconds=self.LIMIT_SECONDS,
                )
            case "recover":
                answer = recover(event, ledger=self.ledger, execution_role_arn="role", now=self.now, **cloud)
            case "verify":
                answer = self.verified(event)
            case "update":
                answer = update(
                    event,
                    ledger=self.ledger,
                    execution_role_arn="role",
                    now=self.now,
                    **at_endpoint,
                )
            case "watch":
                answer = watch(event, ledger=self.ledger, now=self.now, **at_endpoint)
            case "prove":
                answer = self.proved(event)
            case _:
                answer = record(
                    event["record"],
                    event["state"],
                    ledger=self.ledger,
                    sns=self,
                    lineage=self.lineage,
                    topic_arn=TOPIC,
                    endpoint_name=ENDPOINT,
                    clock=lambda: self.now,
                    deployed="endpoint-config" if self.rules.endpoint_name else "model",
                )
        result: dict[str, Any] = json.loads(json.dumps(answer))
        return result

    @property
    def rules(self) -> Rules:
        return Rules(
            group=GROUP,
            stack_name=STACK,
            endpoint_name=ENDPOINT,
            instance_type=self.instance_type,
            when_none_approved=self.when_none_approved,
        )

    def proved(self, event: dict[str, Any]) -> dict[str, Any]:
        return prove(
            event,
            cloudformation=self,
            sagemaker=self,
            runtime=self,
            stack_name=STACK,
            endpoint_name=ENDPOINT,
            max_latency_ms=MAX_LATENCY_MS,
            clock=lambda: self.elapsed,
        )

    def verified(self, event: dict[str, Any]) -> dict[str, Any]:
        return verify(event, archive=self.archive)

    @property
    def archive(self) -> Archive:
        return archive_in(s3=self.s3, kms=self.kms, key_arn=self.key_arn)

    def start(self, execution: str) -> Iterator[str]:
        """Run the workflow, state by state: the name of each state before it is entered, at last Done or Failed."""
        machine = Machine(definition(), task=self._do, sleep=self._sleep)
        for name in machine.run({"Execution": {"Id": execution}}, {"event": "a hint"}):
            self.now += 1
            yield name

    def _do(self, resource: str, event: dict[str, Any]) -> dict[str, Any]:
        try:
            return self.step(resource, event)
        except TaskFailed:
            raise
        except Exception as error:
            raise TaskFailed(type(error).__name__, json.dumps({"errorMessage": str(error)})) from error

    def _sleep(self, seconds: float) -> None:
        self.now += seconds

    def run(self, execution: str = "run") -> list[str]:
        """Run the workflow to its end: the states it passed."""
        return list(self.start(execution))


@contextmanager
def clients() -> Iterator[tuple[Any, Any]]:
    """DynamoDB and S3 of moto, with the ledger's table and the two buckets."""
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        patch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
        patch.setenv("AWS_ACCESS_KEY_ID", "testing")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        dynamodb, s3 = boto3.client("dynamodb"), boto3.client("s3")
        keys = ("endpoint", "HASH"), ("item", "RANGE")
        dynamodb.create_table(
            TableName=TABLE,
            KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name, _ in keys],
            BillingMode="PAY_PER_REQUEST",
        )
        for bucket in (MODELS, EVIDENCE):
            s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        yield dynamodb, s3


def new_world(dynamodb: Any, s3: Any) -> World:
    """A world in which nothing has happened yet."""
    for item in dynamodb.scan(TableName=TABLE)["Items"]:
        dynamodb.delete_item(TableName=TABLE, Key={key: item[key] for key in ("endpoint", "item")})
    kms = boto3.client("kms")
    return World(dynamodb=dynamodb, s3=s3, kms=kms, key_arn=signing_key(kms))


def archive_in(*, s3: Any, kms: Any, key_arn: str) -> Archive:
    """The two buckets and a key, as the functions open them."""
    evidence, models = Objects(s3, bucket=EVIDENCE), Objects(s3, bucket=MODELS)
    return Archive(model="bank_churn", evidence=evidence, models=models, kms=kms, key_arn=key_arn)


def signing_key(kms: Any) -> str:
    """A key as the signer has one."""
    arn: str = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    return arn
