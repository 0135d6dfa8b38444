"""The ingestion workflow as it is synthesised, on embedded AWS: a real Glue script, real functions, real metrics."""

import io
import json
import os
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs  # noqa: F401  (jsii loads the submodule that Lambda's stubs name)

from baton.ingestion.workflow import IngestionWorkflow
from embedded.server import EmbeddedAws
from tests.runtime.state_machine import synthesised

ROOT = Path(__file__).parent.parent.parent
BUCKET, TABLE, JOB, MODEL = "front-ingestion", "front-ingestion", "front-ingestion", "bank_churn"
ROLE = "arn:aws:iam::000000000000:role/any"
DIMENSIONS = [{"Name": "Model", "Value": MODEL}, {"Name": "Environment", "Value": "dev"}]
SETTINGS = {
    "LEDGER_TABLE": TABLE,
    "MODEL_NAME": MODEL,
    "CURATED_BUCKET": BUCKET,
    "LINEAGE_PREFIX": "front",
    "SOURCE": "front",
    "ENVIRONMENT_NAME": "dev",
    "CLAIM_SECONDS": "3600",
}
# What the ETL job leaves, without Spark; the object `orders` tells it how to behave, one order a run.
SCRIPT = """
import json, sys, time
import boto3

class SourceRefused(Exception):
    pass

s3 = boto3.client("s3")
bucket, model = "front-ingestion", "bank_churn"
given = dict(zip(sys.argv[1::2], sys.argv[2::2]))
orders = json.loads(s3.get_object(Bucket=bucket, Key="orders")["Body"].read())
order = orders.pop(0) if orders else "work"
s3.put_object(Bucket=bucket, Key="orders", Body=json.dumps(orders))
if order == "break":
    raise RuntimeError("the database does not answer")
if order == "refuse":
    raise SourceRefused("column SSN is not declared")
if order == "linger":
    time.sleep(4)
run_id = given["--JOB_RUN_ID"]
uri = f"s3://{bucket}/{model}/runs/{run_id}/"
facts = {"run_id": run_id, "dataset_uri": uri, "dataset_hash": given.get("--as_of", "today"), "rows": 50}
manifest = {**facts, "mode": given.get("--mode", "auto"), "rejected": {"score: above 850": 2}}
s3.put_object(Bucket=bucket, Key=f"{model}/runs/{run_id}/_manifest.json", Body=json.dumps(manifest))
pointer = {**facts, "manifest_uri": f"{uri}_manifest.json"}
s3.put_object(Bucket=bucket, Key=f"{model}/current.json", Body=json.dumps(pointer))
"""
FILL = """
import boto3

def handler(event, context):
    name = "front-fill-" + event["run_id"][-12:]
    resources = {"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 10}}
    boto3.client("sagemaker").create_processing_job(
        ProcessingJobName=name,
        RoleArn="arn:aws:iam::000000000000:role/any",
        ProcessingResources=resources,
        AppSpecification={"ImageUri": "any", "ContainerEntrypoint": ["python3", "-c", "print('filled')"]},
    )
    return {"job_name": name}
"""
TRAIN = """
def handler(event, context):
    return {"started": False, "why": "braked: " + event["token"]}
"""


def zipped(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def handlers() -> dict[str, str]:
    """The platform's own functions, as they are shipped."""
    folder = ROOT / "pipeline_scripts"
    paths = [folder / "__init__.py", *(folder / "functions").glob("*.py")]
    return {str(path.relative_to(ROOT)): path.read_text() for path in paths}


def definition(functions: dict[str, str]) -> str:
    """The workflow as the construct synthesises it, over functions by their ARNs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{Path(sys.prefix) / 'bin'}{os.pathsep}{os.environ['PATH']}")
        stack = cdk.Stack()
        made = {name: lambda_.Function.from_function_arn(stack, name, arn) for name, arn in functions.items()}
        steps = {name: SimpleNamespace(function=made[name]) for name in ("claim", "record", "close")}
        workflow = IngestionWorkflow(
            stack,
            "Workflow",
            steps=SimpleNamespace(**steps),  # type: ignore[arg-type]
            job=SimpleNamespace(job_name=JOB),  # type: ignore[arg-type]
            quality=None,
            fill_features=made["fill"],
            start_training=made["train"],
            poll=cdk.Duration.seconds(1),
            time_limit=cdk.Duration.hours(8),
            key=kms.Key(stack, "Key"),
            log_retention=logs.RetentionDays.ONE_DAY,
        )
        return json.dumps(synthesised(workflow.machine))


class Workflow:
    """The deployed workflow."""

    def __init__(self, aws: EmbeddedAws, eventually: Callable[..., Any]) -> None:
        self._states, self._s3 = aws.client("stepfunctions"), aws.client("s3")
        self._dynamodb, self._eventually = aws.client("dynamodb"), eventually
        machines = self._states.list_state_machines()["stateMachines"]
        [self._arn] = [m["stateMachineArn"] for m in machines if m["name"] == "front-ingestion"]

    def order(self, *orders: str) -> None:
        self._s3.put_object(Bucket=BUCKET, Key="orders", Body=json.dumps(orders).encode())

    def start(self, **asked: Any) -> str:
        return str(self._states.start_execution(stateMachineArn=self._arn, input=json.dumps(asked))["executionArn"])

    def ended(self, execution: str) -> dict[str, Any]:
        def look() -> dict[str, Any] | None:
            described: dict[str, Any] = self._states.describe_execution(executionArn=execution)
            return None if described["status"] == "RUNNING" else described

        found: dict[str, Any] = self._eventually(look)
        return found

    def stop(self, execution: str) -> None:
        self._states.stop_execution(executionArn=execution)

    def extracting(self, execution: str) -> None:
        """Wait until the ETL job runs."""
        self._eventually(lambda: "Extract" in self.passed(execution))

    def passed(self, execution: str) -> list[str]:
        events = self._states.get_execution_history(executionArn=execution, maxResults=500)["events"]
        return [e["stateEnteredEventDetails"]["name"] for e in events if "stateEnteredEventDetails" in e]

    def line(self, execution: str) -> dict[str, Any]:
        items = self._dynamodb.scan(TableName=TABLE)["Items"]
        [found] = [item for item in items if item["entry"]["S"] != "claim" and item["execution"]["S"] == execution]
        return {name: next(iter(value.values())) for name, value in found.items()}


@pytest.fixture(scope="module")
def deployed(aws: EmbeddedAws) -> None:
    s3, glue, functions = aws.client("s3"), aws.client("glue"), aws.client("lambda")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": aws.region})
    s3.put_object(Bucket=BUCKET, Key="script.py", Body=SCRIPT.encode())
    s3.put_object(Bucket=BUCKET, Key="orders", Body=b"[]")
    glue.create_job(
        Name=JOB,
        Role=ROLE,
        GlueVersion="5.0",
        Command={"Name": "glueetl", "PythonVersion": "3", "ScriptLocation": f"s3://{BUCKET}/script.py"},
        ExecutionProperty={"MaxConcurrentRuns": 1},
    )
    keys = ("model", "HASH"), ("entry", "RANGE")
    aws.client("dynamodb").create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name, _ in keys],
        BillingMode="PAY_PER_REQUEST",
    )
    own = {
        name: (handlers(), f"pipeline_scripts.functions.{name}_ingestion.handler")
        for name in ("claim", "record", "close")
    }
    stubs = {"fill": ({"app.py": FILL}, "app.handler"), "train": ({"app.py": TRAIN}, "app.handler")}
    arns = {
        name: functions.create_function(
            FunctionName=f"front-ingestion-{name}",
            Runtime="python3.14",
            Role=ROLE,
            Handler=handler,
            Code={"ZipFile": zipped(files)},
            Timeout=60,
            Environment={"Variables": SETTINGS},
        )["FunctionArn"]
        for name, (files, handler) in {**own, **stubs}.items()
    }
    aws.client("stepfunctions").create_state_machine(name="front-ingestion", roleArn=ROLE, definition=definition(arns))


@pytest.fixture
def workflow(aws: EmbeddedAws, deployed: None, eventually: Callable[..., Any]) -> Workflow:
    return Workflow(aws, eventually)


def test_a_run_publishes_fills_asks_for_a_training_and_gives_metrics(aws: EmbeddedAws, workflow: Workflow) -> None:
    cloudwatch = aws.client("cloudwatch")
    metric = {"Namespace": "Baton/Ingestion", "MetricName": "PublishedRows", "Dimensions": DIMENSIONS}
    late = {
        "Id": "published",
        "MetricStat": {"Metric": metric, "Period": 3600, "Stat": "SampleCount"},
        "ReturnData": False,
    }
    cloudwatch.put_metric_alarm(
        AlarmName="front-late",
        Metrics=[late, {"Id": "filled", "Expression": "FILL(published, 0)", "ReturnData": True}],
        EvaluationPeriods=26,
        Threshold=1,
        ComparisonOperator="LessThanThreshold",
        TreatMissingData="breaching",
    )
    cloudwatch.put_metric_data(Namespace="front-unrelated", MetricData=[{"MetricName": "Any", "Value": 1}])

    def alarm() -> str:
        return str(cloudwatch.describe_alarms(AlarmNames=["front-late"])["MetricAlarms"][0]["StateValue"])

    assert alarm() == "ALARM", "nothing was ever published"
    execution = workflow.start(as_of="2026-01-31", mode="full", cause="a test")
    described = workflow.ended(execution)
    assert described["status"] == "SUCCEEDED", described.get("cause")
    passed = workflow.passed(execution)
    assert [name for name in passed if name not in ("FeaturesAreBeingFilled", "LookAtFeatures", "FeaturesFilled")] == [
        "Begin",
        "Claim",
        "Claimed",
        "Extract",
        "Erased",
        "Record",
        "FillFeatures",
        "TrainOnIt",
        "StartTraining",
        "Close",
        "Closed",
        "Done",
    ]
    line = workflow.line(execution)
    assert (line["outcome"], line["mode"], line["rows"], line["rejected"]) == ("succeeded", "full", "50", "2")
    assert line["dataset_hash"] == "2026-01-31", "the arguments reached the job"
    assert line["training"] == "refused: braked: >2026-01-31"
    listed = cloudwatch.list_metrics(Namespace="Baton/Ingestion")["Metrics"]
    assert {m["MetricName"] for m in listed} == {"PublishedRows", "RejectedRows", "RunMinutes"}
    assert alarm() == "OK"


def test_a_job_that_breaks_is_tried_again_and_one_that_refuses_is_not(workflow: Workflow) -> None:
    workflow.order("break", "work")
    execution = workflow.start(train=False)
    assert workflow.ended(execution)["status"] == "SUCCEEDED"
    assert "ExtractAgain" in workflow.passed(execution)
    workflow.order("refuse")
    refused = workflow.start()
    described = workflow.ended(refused)
    assert described["status"] == "FAILED"
    assert described["error"] == "IngestionFailed"
    assert "column SSN is not declared" in described["cause"]
    assert "ExtractAgain" not in workflow.passed(refused)
    assert workflow.line(refused)["reason"] == described["cause"]


def test_a_second_run_is_skipped_while_one_is_at_work_and_an_event_followed_up(workflow: Workflow) -> None:
    workflow.order("linger")
    first = workflow.start()
    workflow.extracting(first)
    second = workflow.start(cause="event: a test")
    assert json.loads(workflow.ended(second)["output"])["outcome"] == "busy"
    assert workflow.line(second)["outcome"] == "skipped"
    ended = workflow.ended(first)
    assert ended["status"] == "SUCCEEDED"
    again = json.loads(ended["output"])["next"]["ExecutionArn"]
    assert workflow.ended(again)["status"] == "SUCCEEDED"
    assert workflow.line(again)["cause"] == "an event that arrived during the last run"


def test_a_run_takes_over_from_one_that_was_stopped(workflow: Workflow) -> None:
    workflow.order("linger")
    first = workflow.start()
    workflow.extracting(first)
    workflow.stop(first)
    # Here the stopped execution's job goes on for its four seconds, and Glue holds one place.
    second = workflow.start()
    workflow.extracting(second)
    assert workflow.line(first)["outcome"] == "lost"
    workflow.stop(second)


def test_an_input_that_makes_no_sense_is_refused_in_a_sentence(workflow: Workflow) -> None:
    described = workflow.ended(workflow.start(mode="fast"))
    assert described["status"] == "FAILED"
    assert "input 'mode' must be one of auto, full, backfill, got 'fast'" in described["cause"]
