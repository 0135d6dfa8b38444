"""A source, an ETL job, a training pipeline and a ledger, and the workflow over them as it is synthesised."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aws_cdk as cdk
import boto3
import pytest
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs  # noqa: F401  (jsii loads the submodule that Lambda's stubs name)
from moto import mock_aws

from baton.ingestion.workflow import IngestionWorkflow
from pipeline_scripts.functions.claim_ingestion import claim
from pipeline_scripts.functions.close_ingestion import close
from pipeline_scripts.functions.ingestion_ledger import IngestionLedger
from pipeline_scripts.functions.partition import Partition
from pipeline_scripts.functions.record_ingestion import record
from pipeline_scripts.functions.start_training import Training, answer_to
from tests.runtime.lineage_told import LineageTold
from tests.runtime.state_machine import Machine, TaskFailed, synthesised, with_functions_by_name

MODEL, BUCKET, LEDGER, STARTS = "bank_churn", "curated", "ledger", "starts"
FUNCTIONS = ("claim", "record", "close", "fill", "train")
CLAIM_SECONDS = 8 * 3600
ARN = "arn:aws:states:eu-west-1:000000000000:execution:ingestion"


@cache
def definition() -> dict[str, Any]:
    """The workflow of a model with a feature store; resources of functions are reduced to their names."""
    os.environ["PATH"] = f"{Path(sys.prefix) / 'bin'}{os.pathsep}{os.environ['PATH']}"
    stack = cdk.Stack()
    arn = "arn:aws:lambda:eu-west-1:000000000000:function"
    made = {name: lambda_.Function.from_function_arn(stack, name, f"{arn}:{name}") for name in FUNCTIONS}
    steps = {name: SimpleNamespace(function=made[name]) for name in ("claim", "record", "close")}
    workflow = IngestionWorkflow(
        stack,
        "Workflow",
        steps=SimpleNamespace(**steps),  # type: ignore[arg-type]
        job=SimpleNamespace(job_name="etl"),  # type: ignore[arg-type]
        quality=SimpleNamespace(  # type: ignore[arg-type]
            grant_evaluate=lambda grantee: None,
            register_arguments=lambda **named: named,
            evaluate_arguments=lambda **named: named,
        ),
        fill_features=made["fill"],
        start_training=made["train"],
        poll=cdk.Duration.seconds(15),
        time_limit=cdk.Duration.hours(8),
        key=kms.Key(stack, "Key"),
        log_retention=logs.RetentionDays.ONE_DAY,
    )
    return with_functions_by_name(synthesised(workflow.machine))


@dataclass
class World:
    """Everything the workflow talks to. DynamoDB and S3 are moto's."""

    dynamodb: Any
    s3: Any
    content: str = "hash-1"
    rows: int = 100
    manifest: dict[str, Any] = field(default_factory=lambda: {"mode": "incremental", "rejected": {}})
    now: float = 1_800_000_000.0
    cooldown_hours: int = 0
    ended: set[str] = field(default_factory=set)
    job_arguments: list[dict[str, str]] = field(default_factory=list)
    job_fails: list[TaskFailed] = field(default_factory=list)
    filling: list[str] = field(default_factory=list)
    trainings: dict[str, dict[str, str]] = field(default_factory=dict)
    asked_glue: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    glue_refuses: bool = False
    started_again: list[dict[str, Any]] = field(default_factory=list)
    twice: bool = False
    lineage: LineageTold = field(default_factory=LineageTold)

    # -- what is outside -----------------------------------------------------------------------------------------

    def publish(self) -> str:
        """What the ETL job leaves when it succeeds."""
        run_id = f"r{len(self.job_arguments)}"
        uri = f"s3://{BUCKET}/{MODEL}/runs/{run_id}/"
        facts = {"run_id": run_id, "dataset_uri": uri, "dataset_hash": self.content, "rows": self.rows}
        self.put(f"{MODEL}/runs/{run_id}/_manifest.json", {**facts, **self.manifest})
        self.put(f"{MODEL}/current.json", {**facts, "manifest_uri": f"{uri}_manifest.json"})
        return run_id

    def put(self, key: str, content: Any) -> None:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=body)

    def start_pipeline_execution(self, **request: Any) -> dict[str, str]:
        """SageMaker: one execution for one token, and an error where the token comes with other parameters."""
        token = request["ClientRequestToken"]
        parameters = {p["Name"]: p["Value"] for p in request["PipelineParameters"]}
        assert self.trainings.setdefault(token, parameters) == parameters, "one token, two different requests"
        return {"PipelineExecutionArn": f"arn:pipeline/{list(self.trainings).index(token)}"}

    # -- the ledger ----------------------------------------------------------------------------------------------

    @property
    def ledger(self) -> IngestionLedger:
        partition = Partition(client=self.dynamodb, table=LEDGER, key=("model", MODEL), sort_key="entry")
        return IngestionLedger(partition=partition, clock=lambda: self.now)

    def lines(self) -> dict[str, dict[str, Any]]:
        """The history by the execution's name."""
        partition = Partition(client=self.dynamodb, table=LEDGER, key=("model", MODEL), sort_key="entry")
        return {str(line["execution"]).rpartition(":")[2]: line for line in partition.between("run#", "run#~")}

    def holder(self) -> str | None:
        partition = Partition(client=self.dynamodb, table=LEDGER, key=("model", MODEL), sort_key="entry")
        owner = partition.item("claim").get("owner")
        return None if owner is None else str(owner).rpartition(":")[2]

    # -- the workflow --------------------------------------------------------------------------------------------

    def start(self, name: str = "run", asked: Any = None) -> "Execution":
        """An execution that has not yet done anything."""
        return Execution(self, name, {} if asked is None else asked)

    def run(self, name: str = "run", asked: Any = None) -> list[str]:
        """Run the workflow to its end: the states it passed."""
        execution = self.start(name, asked)
        states = list(execution.states)
        self.ended.add(f"{ARN}:{name}")
        return states

    def do(self, resource: str, given: Any) -> Any:
        """Do one task, with JSON in and out; `twice` repeats each function, as after an answer that was lost."""
        given = json.loads(json.dumps(given))
        task: Callable[[], Any]
        match resource.rpartition(":")[2]:
            case "startJobRun.sync":
                return self._extract(given)
            case "startExecution":
                self.started_again.append(given)
                return {"ExecutionArn": "arn"}
            case "createPartition" | "startDataQualityRulesetEvaluationRun" as operation:
                self.asked_glue.append((operation, given))
                if self.glue_refuses:
                    raise TaskFailed("Glue.AlreadyExistsException", "Partition already exists.")
                return {"RunId": "dqrun-1"}
            case "describeProcessingJob":
                return {"ProcessingJobStatus": self.filling.pop(0) if self.filling else "Completed"}
            case name:
                task = lambda: self._function(name, given)  # noqa: E731
        try:
            if self.twice:
                task()
            return json.loads(json.dumps(task()))
        except Exception as error:
            raise TaskFailed(type(error).__name__, json.dumps({"errorMessage": str(error)})) from error

    def _extract(self, given: dict[str, Any]) -> dict[str, Any]:
        assert given["JobName"] == "etl"
        self.now += 60
        self.job_arguments.append(given["Arguments"])
        if self.job_fails:
            raise self.job_fails.pop(0)
        self.publish()
        return {"Id": f"jr_{len(self.job_arguments)}", "JobRunState": "SUCCEEDED"}

    def _function(self, name: str, given: dict[str, Any]) -> Any:
        clock = lambda: self.now  # noqa: E731
        match name:
            case "claim":
                return claim(given, ledger=self.ledger, ended=self.ended.__contains__, seconds=CLAIM_SECONDS)
            case "record":
                place = {"bucket": BUCKET, "model": MODEL, "environment": "dev", "source": "core/CUSTOMERS"}
                told: Any = {"ledger": self.ledger, "s3": self.s3, "lineage": self.lineage, "clock": clock}
                return record(given, **told, **place)
            case "close":
                return close(given["outcome"], given["state"], ledger=self.ledger, clock=clock)
            case "fill":
                return {"job_name": f"fill-{given['run_id']}"}
            case _:
                training = Training(
                    pipeline="p",
                    model=MODEL,
                    bucket=BUCKET,
                    table=STARTS,
                    cooldown_hours=self.cooldown_hours,
                    max_per_week=50,
                )
                named: dict[str, Any] = {"s3": self.s3, "dynamodb": self.dynamodb, "sagemaker": self, "clock": clock}
                request_id = f"request-{self.now}"
                return answer_to(given, request_id=request_id, training=training, lineage=self.lineage, **named)


class Execution:
    """One execution; `states` advances it, and whoever stops asking has killed it."""

    def __init__(self, world: World, name: str, asked: Any) -> None:
        world.now += 1
        began = datetime.fromtimestamp(world.now, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        context = {
            "StateMachine": {"Id": "machine"},
            "Execution": {"Id": f"{ARN}:{name}", "StartTime": began, "Input": asked},
        }
        self._world = world
        self.machine = Machine(definition(), task=world.do, sleep=self._sleep)
        self.states: Iterator[str] = self.machine.run(context, asked)

    def until(self, name: str) -> None:
        """Advance until a state is about to be entered."""
        for state in self.states:
            if state == name:
                return
        raise AssertionError(f"the execution ended without {name}")

    def finish(self) -> str:
        """Advance to the end: its name."""
        return list(self.states)[-1]

    def _sleep(self, seconds: float) -> None:
        self._world.now += seconds


@contextmanager
def clients() -> Iterator[tuple[Any, Any]]:
    """DynamoDB and S3 of moto, with both tables and the bucket."""
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        patch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
        patch.setenv("AWS_ACCESS_KEY_ID", "testing")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        dynamodb, s3 = boto3.client("dynamodb"), boto3.client("s3")
        keys = ("model", "HASH"), ("entry", "RANGE")
        for table in (LEDGER, STARTS):
            dynamodb.create_table(
                TableName=table,
                KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys],
                AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name, _ in keys],
                BillingMode="PAY_PER_REQUEST",
            )
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        yield dynamodb, s3


def new_world(dynamodb: Any, s3: Any) -> World:
    """A world in which nothing has happened yet."""
    for table in (LEDGER, STARTS):
        for item in dynamodb.scan(TableName=table)["Items"]:
            dynamodb.delete_item(TableName=table, Key={key: item[key] for key in ("model", "entry")})
    for item in s3.list_objects_v2(Bucket=BUCKET).get("Contents", []):
        s3.delete_object(Bucket=BUCKET, Key=item["Key"])
    return World(dynamodb=dynamodb, s3=s3)
