"""Worlds of the other kinds of serving: with a version beside the served one, with answers that come later, in batches.

An endpoint without instances is a plain world whose stack has no parameters for machines.
"""

from dataclasses import dataclass, field
from typing import Any, ClassVar

from botocore.session import get_session
from botocore.validate import validate_parameters

from pipeline_scripts.functions.reconcile_beside import CHALLENGER, SHADOW
from pipeline_scripts.functions.reconcile_choose import Rules
from pipeline_scripts.functions.reconcile_prove_asynchronous import prove_asynchronously
from pipeline_scripts.functions.reconcile_prove_batch import prove_in_a_batch
from tests.runtime.reconcile_world import ENDPOINT, STACK, World, beside_of, config_of, refused

BUCKET = "monitoring"
POLL = 15  # seconds, as where it is not a developer's own
TRANSFORM = get_session().get_service_model("sagemaker").operation_model("CreateTransformJob").input_shape


@dataclass
class TwoVersions(World):
    """A real-time endpoint with a place beside the served version. A challenger answers whoever names no variant.

    Args:
        rewritten: By number, what somebody has written over in the registry.
    """

    rewritten: dict[int, dict[str, Any]] = field(default_factory=dict)

    def describe_model_package(self, *, ModelPackageName: str) -> dict[str, Any]:
        package = super().describe_model_package(ModelPackageName=ModelPackageName)
        return package | self.rewritten.get(package["ModelPackageVersion"], {})

    def name(self, parameter: str, number: int | None) -> bool:
        """A person deploys the stack with this version in that place; False where CloudFormation refuses the update."""
        new = {**self.parameters, parameter: "none" if number is None else self.versions[number].arn}
        if new == self.parameters or self.status.endswith("_IN_PROGRESS") or self.status == "UPDATE_ROLLBACK_FAILED":
            return False
        self.status = "UPDATE_IN_PROGRESS"
        self._ticks = iter([lambda: self._move_ahead(new), lambda: World._land(self, new)])
        return True

    def _move_ahead(self, new: dict[str, str]) -> None:
        """The endpoint has moved before CloudFormation is done with the stack."""
        if not self.refusals(new) and not self.cannot_start(new):
            self.beside, self.config = beside_of(new), config_of(new)

    def invoke_endpoint(self, *, TargetVariant: str = "", **request: Any) -> dict[str, Any]:
        if TargetVariant == "AllTraffic" or CHALLENGER not in self.beside:
            return super().invoke_endpoint(**request)
        assert not TargetVariant, "the variant of the approved version is called AllTraffic"
        served, self.serving = self.serving, self.beside[CHALLENGER]
        try:
            answer: dict[str, Any] = super().invoke_endpoint(**request)
        finally:
            self.serving = served
        return answer


@dataclass
class WithChallenger(TwoVersions):
    """Its template has a challenger. One excludes the other."""

    place: str = CHALLENGER

    def __post_init__(self) -> None:
        self.parameters[self.place] = "none"


@dataclass
class WithShadow(WithChallenger):
    """Its template has a shadow."""

    place: str = SHADOW


@dataclass
class LaterWorld(World):
    """A world whose endpoint answers in S3, some seconds after it was asked, or never where it is too slow."""

    LIMIT_SECONDS: ClassVar[int] = 4 * 3_600

    waiting: list[tuple[float, str, str, str]] = field(default_factory=list)
    answers_after: float = 40.0
    silent: bool = False

    def proved(self, event: dict[str, Any]) -> dict[str, Any]:
        self._answer()
        return prove_asynchronously(
            event,
            ledger=self.ledger,
            cloudformation=self,
            sagemaker=self,
            runtime=self,
            s3=self.s3,
            stack_name=STACK,
            endpoint_name=ENDPOINT,
            canary_uri=f"s3://{BUCKET}/bank_churn/asynchronous/requests/",
            now=self.now,
        )

    def invoke_endpoint_async(
        self, *, EndpointName: str, InputLocation: str, ContentType: str, Accept: str, InferenceId: str
    ) -> dict[str, Any]:
        assert (EndpointName, ContentType, Accept) == (ENDPOINT, "text/csv", "text/csv")
        if self.endpoint_status != "InService":
            raise refused("ValidationError", f"Endpoint is {self.endpoint_status}", "InvokeEndpointAsync")
        name = f"bank_churn/asynchronous/answers/{len(self.waiting)}.out"
        failure = f"bank_churn/asynchronous/failures/{len(self.waiting)}.out"
        self.waiting.append((self.now + self.answers_after, InputLocation, name, failure))
        return {"OutputLocation": f"s3://{BUCKET}/{name}", "FailureLocation": f"s3://{BUCKET}/{failure}"}

    def _answer(self) -> None:
        version = self.versions.get(self.serving or 0)
        if version is None or self.silent or self.is_slow(version) or self.endpoint_status != "InService":
            return
        for due, asked, name, failure in self.waiting:
            if due > self.now or (BUCKET, name) in self.s3.objects or (BUCKET, failure) in self.s3.objects:
                continue
            canary = self.s3.get_object(Bucket=BUCKET, Key=asked.removeprefix(f"s3://{BUCKET}/"))["Body"].read()
            assert canary == b"1,2"
            if version.behaviour == "model error":
                self.s3.put_object(Bucket=BUCKET, Key=failure, Body=b"no module named inference")
            else:
                self.s3.put_object(Bucket=BUCKET, Key=name, Body=version.answer)

    def _sleep(self, seconds: float) -> None:
        super()._sleep(max(seconds, POLL))


@dataclass
class BatchWorld(World):
    """A world without an endpoint: its stack holds a model, and transform jobs ask it."""

    LIMIT_SECONDS: ClassVar[int] = 4 * 3_600

    started: list[dict[str, Any]] = field(default_factory=list)
    due: dict[str, float] = field(default_factory=dict)
    answers_after: float = 40.0
    end: str = "Completed"
    failure: str = ""
    stopped: list[str] = field(default_factory=list)

    @property
    def rules(self) -> Rules:
        return Rules(**{**vars(super().rules), "endpoint_name": None})

    def describe_stacks(self, *, StackName: str) -> dict[str, Any]:
        answer = super().describe_stacks(StackName=StackName)
        answer["Stacks"][0]["Outputs"].append({"OutputKey": "ModelName", "OutputValue": f"model-{self.serving}"})
        return answer

    def describe_model(self, *, ModelName: str) -> dict[str, Any]:
        return {"PrimaryContainer": {"ModelPackageName": self.versions[int(ModelName.removeprefix("model-"))].arn}}

    def create_transform_job(self, **request: Any) -> None:
        validate_parameters(request, TRANSFORM)
        if request["TransformJobName"] in self.due:
            raise refused("ResourceInUse", "there is a job of this name", "CreateTransformJob")
        self.due[request["TransformJobName"]] = self.now + self.answers_after
        self.started.append(request)

    def describe_transform_job(self, *, TransformJobName: str) -> dict[str, Any]:
        if TransformJobName in self.stopped:
            return {"TransformJobStatus": "Stopped"}
        [request] = [made for made in self.started if made["TransformJobName"] == TransformJobName]
        version = self.versions[int(request["ModelName"].removeprefix("model-"))]
        if self.end == "never" or self.is_slow(version) or self.now < self.due[TransformJobName]:
            return {"TransformJobStatus": "InProgress"}
        if version.behaviour == "model error":
            return {"TransformJobStatus": "Failed", "FailureReason": "no module named inference"}
        folder = request["TransformOutput"]["S3OutputPath"].removeprefix(f"s3://{BUCKET}/")
        self.s3.put_object(Bucket=BUCKET, Key=f"{folder}{TransformJobName}.csv.out", Body=version.answer)
        return {"TransformJobStatus": self.end, "FailureReason": self.failure}

    def stop_transform_job(self, *, TransformJobName: str) -> None:
        self.stopped.append(TransformJobName)

    def proved(self, event: dict[str, Any]) -> dict[str, Any]:
        return prove_in_a_batch(
            event,
            ledger=self.ledger,
            cloudformation=self,
            sagemaker=self,
            s3=self.s3,
            stack_name=STACK,
            job_prefix="baton-dev-bank-churn-canary",
            canary_uri=f"s3://{BUCKET}/bank_churn/batch/canaries/",
            resources={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeKmsKeyId": "volumes"},
            output={"S3OutputPath": f"s3://{BUCKET}/bank_churn/batch/canary-answers/", "KmsKeyId": "data"},
            now=self.now,
        )

    def _sleep(self, seconds: float) -> None:
        super()._sleep(max(seconds, POLL))
