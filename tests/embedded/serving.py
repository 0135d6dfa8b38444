"""Models that answer a fixed text, and endpoints of them, for tests of the running embedded AWS."""

import io
import tarfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from embedded.server import EmbeddedAws

ROLE = "arn:aws:iam::000000000000:role/any"
BUCKET = "front-serving"

_HOOKS = """
import time

def model_fn(model_dir):
    {loading}
    return "{answer}"

def input_fn(body, content_type):
    return body.decode() if isinstance(body, bytes) else body

def predict_fn(data, model):
    if data.startswith("boom"):
        raise ValueError("no such row")
    if data.startswith("slow"):
        time.sleep(float(data.split()[1]))
    return "\\n".join(f"{{model}}" for row in data.splitlines())

def output_fn(prediction, accept):
    {telling}
    return prediction
"""


class Serving:
    """Makes models and endpoints, waits for them, and asks them.

    Args:
        aws: The running server.
    """

    def __init__(self, aws: EmbeddedAws) -> None:
        self._aws = aws
        self.sagemaker = aws.client("sagemaker")
        self.runtime = aws.client("sagemaker-runtime")
        self.s3 = aws.client("s3")
        names = [bucket["Name"] for bucket in self.s3.list_buckets()["Buckets"]]
        if BUCKET not in names:
            self.s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})

    def container(self, name: str, answer: str, *, loading: str = "pass", telling: str = "pass") -> dict[str, Any]:
        """Write an artefact whose container answers a fixed text for each row; gives the container."""
        script = _HOOKS.format(answer=answer, loading=loading, telling=telling).encode()
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
            entry = tarfile.TarInfo("code/inference.py")
            entry.size = len(script)
            archive.addfile(entry, io.BytesIO(script))
        self.s3.put_object(Bucket=BUCKET, Key=f"{name}.tar.gz", Body=buffer.getvalue())
        environment = {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"}
        return {"Image": "any", "ModelDataUrl": f"s3://{BUCKET}/{name}.tar.gz", "Environment": environment}

    def model(self, name: str, answer: str, **script: str) -> str:
        """Create a model of such a container; gives its name."""
        container = self.container(name, answer, **script)
        self.sagemaker.create_model(ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer=container)
        return name

    def config(self, name: str, *variants: dict[str, Any], **settings: Any) -> str:
        """Create an endpoint configuration; gives its name."""
        self.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=list(variants), **settings)
        return name

    def variant(self, model: str, name: str = "primary", **settings: Any) -> dict[str, Any]:
        """A variant of one instance."""
        size = {"InitialInstanceCount": 1, "InstanceType": "ml.m5.large", "InitialVariantWeight": 1.0}
        return {"VariantName": name, "ModelName": model, **size, **settings}

    @contextmanager
    def endpoint(self, name: str, config: str, **settings: Any) -> Iterator[str]:
        """An endpoint in service, deleted afterwards."""
        self.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config, **settings)
        try:
            assert self.settled(name)["EndpointStatus"] == "InService"
            yield name
        finally:
            self.settled(name)
            self.sagemaker.delete_endpoint(EndpointName=name)

    def settled(self, name: str) -> dict[str, Any]:
        """The endpoint, once nothing happens to it."""

        def look() -> dict[str, Any] | None:
            endpoint: dict[str, Any] = self.sagemaker.describe_endpoint(EndpointName=name)
            return None if endpoint["EndpointStatus"] in ("Creating", "Updating", "RollingBack") else endpoint

        found: dict[str, Any] = self.eventually(look)
        return found

    def ask(self, endpoint: str, body: str = "1,2", **settings: Any) -> str:
        """The answer to one request."""
        response = self.runtime.invoke_endpoint(
            EndpointName=endpoint, ContentType="text/csv", Accept="text/csv", Body=body, **settings
        )
        return str(response["Body"].read().decode())

    def put(self, key: str, body: str) -> str:
        """Write an object; gives its URI."""
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=body.encode())
        return f"s3://{BUCKET}/{key}"

    def read(self, uri: str) -> str | None:
        """An object's content, or None while it is not there."""
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        try:
            return str(self.s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode())
        except self.s3.exceptions.NoSuchKey:
            return None

    def under(self, prefix: str) -> dict[str, str]:
        """The objects below a prefix, by their keys."""
        listed = self.s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
        return {entry["Key"]: self.read(f"s3://{BUCKET}/{entry['Key']}") or "" for entry in listed}

    def measured(self, metric: str, **dimensions: str) -> float | None:
        """The sum of a metric of SageMaker's over the last minutes, or None where it has no data."""
        answer = self._aws.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/SageMaker",
            MetricName=metric,
            Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
            StartTime=time.time() - 600,
            EndTime=time.time() + 60,
            Period=3600,
            Statistics=["Sum"],
        )
        points = answer["Datapoints"]
        return sum(point["Sum"] for point in points) if points else None

    @staticmethod
    def eventually(look: Callable[[], Any], *, within: float = 60.0) -> Any:
        """What `look` finds, as soon as it finds something.

        Raises:
            AssertionError: It found nothing in time.
        """
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            found = look()
            if found:
                return found
            time.sleep(0.05)
        raise AssertionError(f"nothing was found within {within:.0f} s")
