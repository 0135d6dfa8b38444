"""AWS's answers, canned: real boto3 clients that check every argument, and never reach a network."""

import hashlib
import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from types import SimpleNamespace
from typing import Any

import boto3

from cli.connection import Connection

COMPARISON = {
    "champion": 1,
    "comparable": True,
    "reason": "the AUC on the hold-out is 0.8610, and 0.8540 of the champion, version 1",
    "metric": "auc",
    "challenger": 0.861,
    "champion_value": 0.854,
    "difference": 0.007,
    "low": -0.0013,
    "high": 0.0149,
    "confidence": 0.95,
    "max_loss": 0.02,
    "p_value": 0.0025,
    "rows": 2000,
}
WAIVER = {
    "approver": "grace@bank.example",
    "reason": "a campaign was aimed at women, see RISK-123",
    "granted": "2026-11-01",
    "expires": "2026-12-01",
}
NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
ARN = "arn:aws:sagemaker:eu-west-1:000000000000"
Answer = Callable[[dict[str, Any]], dict[str, Any]]


class Refused(Exception):
    """An answer that is an error of AWS's."""

    def __init__(self, code: str, message: str = "no") -> None:
        super().__init__(message)
        self.parsed = {"Error": {"Code": code, "Message": message}}


# One session for all: it reads each service's model once.
SESSION = boto3.Session("key", "secret", region_name="eu-west-1")


class CannedConnection(Connection):
    """Clients that are answered by a table of functions, by `service.Operation`."""

    def __init__(self, answers: dict[str, Answer], *, identity: str = "caller") -> None:
        super().__init__(SESSION)
        self.answers = answers
        self.identity = identity
        self.calls: list[tuple[str, str, dict[str, Any]]] = []

    def client(self, service: str) -> Any:
        if service not in self._clients:
            client = super().client(service)
            client.meta.events.register_first("before-parameter-build.*.*", self._remember)
            client.meta.events.register_first("before-call.*.*", self._answer)
        return self._clients[service]

    def assume(self, role_arn: str, *, session_name: str) -> "CannedConnection":
        self.client("sts").assume_role(RoleArn=role_arn, RoleSessionName=session_name, SourceIdentity=session_name)
        other = CannedConnection(self.answers, identity=role_arn)
        other.calls = self.calls
        return other

    def _remember(self, params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        context["asked"] = dict(params)

    def _answer(self, model: Any, context: dict[str, Any], **_: Any) -> Any:
        name = f"{model.service_model.service_name}.{model.name}"
        self.calls.append((self.identity, name, context["asked"]))
        try:
            return SimpleNamespace(status_code=200), self.answers[name](context["asked"])
        except Refused as refusal:
            return SimpleNamespace(status_code=400), refusal.parsed


PAGE = b"<!doctype html><title>Evidence</title>"
BUNDLE = json.dumps({"files": {"evidence/evidence.html": hashlib.sha256(PAGE).hexdigest()}}).encode()


def metadata(number: int) -> dict[str, str]:
    return {
        "commit": "617812cabcde",
        "author": "Ada",
        "dataset_hash": "f00d" * 16,
        "dataset_uri": "s3://curated/bank_churn/runs/r1/",
        "evidence_uri": f"s3://evidence/bank_churn/e{number}",
        "evidence_sha256": hashlib.sha256(BUNDLE).hexdigest(),
        "image": "sagemaker-xgboost:3.0-5",
        "artifact_sha256": "ab" * 32,
        "pipeline_execution": f"{ARN}:pipeline/p/execution/e{number}",
        "reason": "manual",
    }


OUTPUTS = {
    "baton-dev-data-lake": {
        "CuratedBucketName": "curated",
        "MonitoringBucketName": "monitoring",
        "NotificationTopicArn": "arn:aws:sns:eu-west-1:000000000000:people",
    },
    "baton-dev-governance": {"ComplianceOfficerRoleArn": "arn:aws:iam::000000000000:role/officer"},
    "baton-dev-bank-churn-ingestion": {"GlueJobName": "etl-job"},
    "baton-dev-bank-churn-features": {"FeatureGroupName": "baton-dev-bank-churn"},
    "baton-dev-bank-churn-training": {
        "PipelineName": "p",
        "ModelPackageGroupName": "bank-churn",
        "StartTrainingFunctionName": "start-training",
        "ReproduceFunctionName": "reproduce",
    },
    "baton-dev-bank-churn-automation": {
        "IngestionStateMachineArn": "arn:aws:states:eu-west-1:000000000000:stateMachine:ingestion",
        "IngestionLedgerTableName": "ingestions",
    },
    "baton-dev-bank-churn-monitoring": {"StartMonitorFunctionName": "start-monitor", "DriftAlarmNames": "drift"},
    "baton-dev-bank-churn-serving": {
        "EndpointName": "ep",
        "CaptureUri": "s3://monitoring/bank_churn/capture",
        "GroundTruthUri": "s3://monitoring/bank_churn/ground-truth",
        "ServedModelPackageArn": f"{ARN}:model-package/bank-churn/1",
        "DataQualityScheduleName": "ep-data-quality",
        "ModelQualityScheduleName": "ep-model-quality",
        "BiasScheduleName": "ep-bias",
        "ExplainabilityScheduleName": "ep-explainability",
    },
    "baton-dev-bank-churn-approval": {"LedgerTableName": "ledger", "PinFunctionName": "pin"},
}


@dataclass
class World:
    """A small deployed platform: version 1 serves, version 2 waits."""

    outputs: dict[str, dict[str, str]] = field(default_factory=lambda: {k: dict(v) for k, v in OUTPUTS.items()})
    statuses: dict[int, str] = field(default_factory=lambda: {1: "Approved", 2: "PendingManualApproval"})
    objects: dict[str, bytes] = field(default_factory=dict)
    answers: dict[str, Answer] = field(default_factory=dict)
    lineage: "Lineage" = field(default_factory=lambda: Lineage())
    endpoint_changed: datetime = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)

    def __post_init__(self) -> None:
        self.answers |= {
            "cloudformation.DescribeStacks": self._stacks,
            "cloudformation.ListStackResources": self._resources,
            "cloudwatch.DescribeAlarms": lambda _: {"MetricAlarms": [ALARM]},
            "dynamodb.GetItem": lambda _: {},
            "dynamodb.Query": lambda asked: {"Items": INGESTIONS if asked["TableName"] == "ingestions" else LEDGER},
            "lambda.Invoke": lambda _: payload({"started": False, "why": "nothing is planned"}),
            "s3.GetObject": self._object,
            "s3.ListObjectsV2": self._listing,
            "sagemaker.DescribeEndpoint": self._endpoint,
            "sagemaker.DescribeEndpointConfig": lambda _: {
                "ProductionVariants": [{"VariantName": "primary", "ModelName": "model-1"}]
            },
            "sagemaker.DescribeModel": lambda _: {
                "PrimaryContainer": {"ModelPackageName": f"{ARN}:model-package/bank-churn/1"}
            },
            "sagemaker.DescribeModelPackage": self._package,
            "sagemaker.DescribePipelineExecution": lambda _: {
                "PipelineExecutionStatus": "Succeeded",
                "CreationTime": NOW,
            },
            "sagemaker.DescribeProcessingJob": self._job,
            "sagemaker.ListModelPackages": lambda _: {
                "ModelPackageSummaryList": [
                    {"ModelPackageArn": f"{ARN}:model-package/bank-churn/{number}"} for number in self.statuses
                ]
            },
            "sagemaker.ListPipelineExecutionSteps": lambda _: {
                "PipelineExecutionSteps": [
                    {"StepName": "Train", "StepStatus": "Succeeded", "StartTime": NOW, "EndTime": NOW}
                ]
            },
            "sagemaker.ListPipelineExecutions": lambda _: {
                "PipelineExecutionSummaries": [{"PipelineExecutionArn": f"{ARN}:pipeline/p/execution/e2"}]
            },
            "sagemaker.UpdateModelPackage": self._update,
            "scheduler.ListSchedules": lambda asked: {
                "Schedules": [{"Name": asked["NamePrefix"], "GroupName": "group"}]
            },
            "scheduler.GetSchedule": lambda _: {
                "Target": {"Input": json.dumps({"monitor": "data_quality", "job": {}})}
            },
            "stepfunctions.StartExecution": lambda _: {"executionArn": INGESTION, "startDate": NOW},
            "stepfunctions.DescribeExecution": lambda _: {
                "status": "SUCCEEDED",
                "output": json.dumps({"outcome": "claimed"}),
            },
            "stepfunctions.GetExecutionHistory": lambda _: {"events": EVENTS},
            "sts.AssumeRole": lambda _: {},
            "sts.GetCallerIdentity": lambda _: {"Arn": "arn:aws:iam::000000000000:user/grace"},
        }
        self.answers |= self.lineage.answers()
        for number in self.statuses:
            self._add_evidence(f"s3://evidence/bank_churn/e{number}")

    def put(self, uri: str, content: Any) -> None:
        self.objects[uri] = content if isinstance(content, bytes) else json.dumps(content).encode()

    def _add_evidence(self, uri: str) -> None:
        metrics = [{"name": "DPPL", "description": "Difference in proportions", "value": 0.03}]
        facets = {"facets": {"gender": [{"value_or_threshold": "Female", "metrics": metrics}]}}
        checks = [
            {"name": "auc", "passed": True, "value": 0.861, "bound": 0.8, "reason": "above"},
            {"name": "DPPL.gender=Female", "passed": True, "value": 0.03, "bound": [-0.2, 0.2], "reason": "within"},
            {"name": "AD.gender=Female", "passed": False, "bound": [0, 0.2], "reason": "outside", "waived": WAIVER},
        ]
        quality = {"metric": "auc", "value": 0.861}
        gate = {"passed": 1, "checks": checks, "quality": quality, "reasons": "Passed all.", "champion": COMPARISON}
        self.put(f"{uri}/gate/gate.json", gate)
        self.put(f"{uri}/evaluation/evaluation.json", EVALUATION)
        self.put(f"{uri}/evidence/bundle.json", BUNDLE)
        self.put(f"{uri}/evidence/evidence.html", PAGE)
        self.put(f"{uri}/bias/analysis.json", {"post_training_bias_metrics": facets})
        values = {"label0": {"global_shap_values": {"balance": 0.2, "country": 0.4}}}
        self.put(f"{uri}/explainability/analysis.json", {"explanations": {"kernel_shap": values}})

    def _stacks(self, asked: dict[str, Any]) -> dict[str, Any]:
        name = asked.get("StackName")
        if name is not None and name not in self.outputs:
            raise Refused("ValidationError", f"Stack with id {name} does not exist")
        chosen = [name] if name else list(self.outputs)
        return {
            "Stacks": [
                {
                    "StackName": stack,
                    "Outputs": [{"OutputKey": key, "OutputValue": value} for key, value in self.outputs[stack].items()],
                }
                for stack in chosen
            ]
        }

    def _resources(self, asked: dict[str, Any]) -> dict[str, Any]:
        if asked["StackName"] not in self.outputs:
            raise Refused("ValidationError", f"Stack with id {asked['StackName']} does not exist")
        if not asked["StackName"].endswith("-monitoring"):
            return {"StackResourceSummaries": []}
        return {"StackResourceSummaries": [{"ResourceType": "AWS::CloudWatch::Alarm", "PhysicalResourceId": "drift"}]}

    def _package(self, asked: dict[str, Any]) -> dict[str, Any]:
        number = int(asked["ModelPackageName"].rsplit("/", 1)[-1])
        status = self.statuses[number]
        decided = {
            "ApprovalDescription": "sound",
            "LastModifiedBy": {"IamIdentity": {"Arn": "arn:aws:sts::000000000000:assumed-role/officer/grace"}},
        }
        return {
            "ModelPackageArn": f"{ARN}:model-package/bank-churn/{number}",
            "ModelPackageVersion": number,
            "ModelApprovalStatus": status,
            "CreationTime": NOW,
            "CustomerMetadataProperties": metadata(number),
            **(decided if status != "PendingManualApproval" else {}),
        }

    def _update(self, asked: dict[str, Any]) -> dict[str, Any]:
        self.statuses[int(asked["ModelPackageArn"].rsplit("/", 1)[-1])] = asked["ModelApprovalStatus"]
        return {}

    def _endpoint(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {
            "EndpointStatus": "InService",
            "EndpointConfigName": "config-1",
            "LastModifiedTime": self.endpoint_changed,
        }

    def _job(self, asked: dict[str, Any]) -> dict[str, Any]:
        output = {
            "S3Output": {"S3Uri": f"s3://monitoring/bank_churn/reports/data_quality/{asked['ProcessingJobName']}"}
        }
        return {
            "ProcessingJobName": asked["ProcessingJobName"],
            "ProcessingJobStatus": "Completed",
            "ExitMessage": "CompletedWithViolations: Job completed successfully with 1 violations.",
            "ProcessingEndTime": NOW,
            "ProcessingOutputConfig": {"Outputs": [output]},
        }

    def _object(self, asked: dict[str, Any]) -> dict[str, Any]:
        uri = f"s3://{asked['Bucket']}/{asked['Key']}"
        if uri not in self.objects:
            raise Refused("NoSuchKey")
        return {"Body": io.BytesIO(self.objects[uri])}

    def _listing(self, asked: dict[str, Any]) -> dict[str, Any]:
        start = f"s3://{asked['Bucket']}/"
        keys = [uri.removeprefix(start) for uri in self.objects if uri.startswith(start + asked["Prefix"])]
        return {"Contents": [{"Key": key, "LastModified": datetime.now(UTC), "Size": 1} for key in keys]}


@dataclass
class Lineage:
    """What SageMaker Lineage was told: entities by ARN, and which led to which."""

    entities: dict[str, dict[str, Any]] = field(default_factory=dict)
    edges: list[tuple[str, str]] = field(default_factory=list)
    page: int = 50

    def answers(self) -> dict[str, Answer]:
        told: dict[str, Answer] = {"sagemaker.QueryLineage": self._query}
        for noun in ("Artifact", "Action", "Context"):
            told[f"sagemaker.List{noun}s"] = partial(self._list, noun)
            told[f"sagemaker.Describe{noun}"] = partial(self._describe, noun)
        return told

    def add(self, noun: str, kind: str, address: str, *later: str, **properties: str) -> str:
        """Record an entity that led to others."""
        arn = f"{ARN}:{noun.lower()}/{len(self.entities)}"
        self.entities[arn] = {
            f"{noun}Arn": arn,
            f"{noun}Type": kind,
            "Source": {"SourceUri": address},
            "Properties": properties,
        }
        self.edges += [(arn, other) for other in later]
        return arn

    def _describe(self, noun: str, asked: dict[str, Any]) -> dict[str, Any]:
        named = f"{ARN}:{noun.lower()}/{asked.get(f'{noun}Name')}"
        return self.entities[asked["ArtifactArn"] if noun == "Artifact" else named]

    def _list(self, noun: str, asked: dict[str, Any]) -> dict[str, Any]:
        chosen = [
            entity
            for arn, entity in self.entities.items()
            if f":{noun.lower()}/" in arn and entity["Source"]["SourceUri"] == asked["SourceUri"]
        ]
        return {f"{noun}Summaries": chosen}

    def _query(self, asked: dict[str, Any]) -> dict[str, Any]:
        up = asked["Direction"] == "Ascendants"
        met, edges = list(asked["StartArns"]), []
        for arn in met:
            for edge in self.edges:
                here, there = edge[::-1] if up else edge
                if here == arn:
                    edges.append(edge)
                    met += [there] if there not in met else []
        start = int(asked.get("NextToken", 0))
        page = met[1:][start : start + self.page]
        vertices = [{"Arn": arn, "Type": self._type(arn), "LineageType": self._noun(arn)} for arn in page]
        told = [{"SourceArn": source, "DestinationArn": destination} for source, destination in edges]
        more = {"NextToken": str(start + self.page)} if start + self.page < len(met) - 1 else {}
        return {"Vertices": vertices, "Edges": told, **more}

    @staticmethod
    def _noun(arn: str) -> str:
        return arn.removeprefix(f"{ARN}:").split("/")[0].capitalize()

    def _type(self, arn: str) -> str:
        return str(self.entities[arn][f"{self._noun(arn)}Type"])


ALARM = {"AlarmName": "drift", "StateValue": "ALARM", "StateReason": "3 violations"}
EVALUATION = {
    "auc": 0.861,
    "accuracy": 0.9,
    "rows": 2000,
    "roc_curve": {"fpr": [0, 0.2, 1], "tpr": [0, 0.8, 1]},
    "calibration": [{"rows": 9, "mean_probability": 0.2, "positive_rate": 0.25}],
}
LEDGER = [
    {
        "endpoint": {"S": "ep"},
        "item": {"S": f"history#{at}"},
        "kind": {"S": kind},
        "at": {"S": at},
        "package_arn": {"S": f"{ARN}:model-package/bank-churn/{number}"},
        "config_name": {"S": f"config-{number}"},
    }
    for at, kind, number in (
        ("2026-11-23T08:00:00+00:00", "served", 1),
        ("2026-11-23T12:00:00+00:00", "served", 2),
    )
]


INGESTION = "arn:aws:states:eu-west-1:000000000000:execution:ingestion:e1"
EVENTS = [
    {"id": number, "timestamp": NOW, "type": kind, **({detail: {"name": name}} if name else {})}
    for number, (kind, detail, name) in enumerate(
        [
            ("ExecutionStarted", "", ""),
            ("TaskStateEntered", "stateEnteredEventDetails", "Extract"),
            ("TaskScheduled", "", ""),
            ("TaskSucceeded", "", ""),
            ("TaskStateExited", "stateExitedEventDetails", "Extract"),
            ("ChoiceStateEntered", "stateEnteredEventDetails", "TrainOnIt"),
            ("ChoiceStateExited", "stateExitedEventDetails", "TrainOnIt"),
            ("TaskStateEntered", "stateEnteredEventDetails", "Close"),
        ],
        start=1,
    )
]
INGESTIONS = [
    {
        "model": {"S": "bank_churn"},
        "entry": {"S": "run#2026-11-23T02:00:01.123Z#e2"},
        "outcome": {"S": "succeeded"},
        "cause": {"S": "schedule"},
        "mode": {"S": "incremental"},
        "run_id": {"S": "r2"},
        "rows": {"N": "10000"},
        "rejected": {"N": "3"},
        "changed": {"BOOL": True},
        "minutes": {"N": "7.25"},
        "training": {"S": "refused: 3 automatic trainings in the last 7 days, and 3 are allowed"},
        "reason": {"S": ""},
    },
    {
        "model": {"S": "bank_churn"},
        "entry": {"S": "run#2026-11-22T02:00:01.123Z#e1"},
        "outcome": {"S": "failed"},
        "cause": {"S": "a person"},
        "reason": {"S": "job run jr_1 ended FAILED: column SSN is not declared"},
    },
]


def payload(content: Any, *, error: bool = False) -> dict[str, Any]:
    body = {"Payload": io.BytesIO(json.dumps(content).encode())}
    return {**body, "FunctionError": "Unhandled"} if error else body


def captured(inference_id: str, time: str) -> bytes:
    side = {"observedContentType": "text/csv", "encoding": "CSV"}
    record = {
        "captureData": {
            "endpointInput": {**side, "mode": "INPUT", "data": "France,30-39,600"},
            "endpointOutput": {**side, "mode": "OUTPUT", "data": "0.123\n"},
        },
        "eventMetadata": {"eventId": "e-1", "inferenceId": inference_id, "inferenceTime": time},
        "eventVersion": "0",
    }
    return json.dumps(record).encode() + b"\n"
