"""A right event for every function, and ways to spoil it; what a function asks of AWS is seen, and not done."""

import copy
import importlib
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import botocore.client
import pytest

ARN = "arn:aws:states:eu-west-1:000000000000:execution:workflow:run"
FOLDER = "s3://evidence/bank_churn/run-2"
RUN = {"execution": ARN, "generation": 3, "deadline": 1_800_000_000}
STARTED = {"execution": ARN, "started_at": "2026-03-01T02:00:00.123Z"}
MOVE = {"instance_type": "ml.m5.large", "previous_type": "", "proven_before": False}
CANARY = {"request": "1,2", "expected": 0.25}
TARGET = {
    "package_arn": "arn:aws:sagemaker:eu-west-1:000000000000:model-package/baton-dev-bank-churn/2",
    "version": "2",
    "evidence_uri": FOLDER,
    "artifact_uri": "s3://models/bank_churn/run-2/output/model.tar.gz",
    "artifact_sha256": "a" * 64,
    "evidence_sha256": "b" * 64,
    "image": "registry/xgboost:3.0-5",
    "environment_sha256": "e" * 64,
    "unsigned": "",
    "execution": "arn:aws:sagemaker:eu-west-1:000000000000:pipeline/p/execution/run-2",
    "dataset_hash": "d" * 64,
    "commit": "abc",
    "author": "ada@bank.example",
    "approver": "arn:aws:sts::000000000000:assumed-role/officer/grace",
    "approval_note": "",
}
JOB = {
    "AppSpecification": {"ImageUri": "image"},
    "ProcessingInputs": [],
    "ProcessingOutputConfig": {"Outputs": []},
    "Environment": {},
}

RIGHT: dict[str, dict[str, Any]] = {
    "claim_ingestion": {**STARTED, "asked": {"cause": "schedule", "mode": "auto"}},
    "record_ingestion": {**STARTED, "train": True},
    "close_ingestion": {"outcome": "failed", "state": {**STARTED, "error": {"Error": "E", "Cause": "because"}}},
    "publish_monitor": {"detail": {"ProcessingJobName": "baton-dev-bank-churn-dq-20260301"}},
    "start_monitor": {
        "monitor": "data_quality",
        "endpoint_name": "baton-dev-bank-churn",
        "model_package_arn": TARGET["package_arn"],
        "capture_uri": "s3://monitoring/bank_churn/capture",
        "ground_truth_uri": "s3://monitoring/bank_churn/ground-truth",
        "report_uri": "s3://monitoring/bank_churn/reports",
        "window_minutes": 60,
        "needs_labels": False,
        "needs_model": False,
        "job": JOB,
    },
    "find_champion": {"challenger_uri": TARGET["artifact_uri"]},
    "sign_evidence": {
        name: TARGET[name]
        for name in (
            *("execution", "commit", "dataset_hash", "evidence_uri"),
            *("artifact_uri", "artifact_sha256", "image", "environment_sha256"),
        )
    },
    "reproduce_version": {"version": 2, "run": "r1"},
    "start_training": {"reason": "manual", "author": "ada@bank.example"},
    "reconcile_choose": {"execution": ARN},
    "reconcile_verify": {**RUN, "target": TARGET, "standing": {"ChallengerModelPackageArn": TARGET}, "beside": {}},
    "reconcile_recover": {**RUN, "recoveries": 0},
    "reconcile_update": {**RUN, **MOVE, "target": TARGET},
    "reconcile_watch": {**RUN, **MOVE, "target": TARGET},
    "reconcile_prove": {**RUN, **MOVE, "target": TARGET, "canary": CANARY},
    "reconcile_prove_asynchronous": {**RUN, **MOVE, "target": TARGET, "canary": CANARY},
    "reconcile_prove_batch": {**RUN, **MOVE, "target": TARGET, "canary": CANARY},
    "reconcile_pin": {"action": "pin", "version": "2", "by": "grace", "reason": "a reason"},
    "reconcile_record": {"record": "failed", "state": {**RUN, "target": TARGET, "reason": "a reason"}},
}
"""What each function is called with. `start_features` reads nothing of its event."""

NEEDED: dict[str, tuple[str, ...]] = {
    "claim_ingestion": ("execution", "started_at", "asked"),
    "record_ingestion": ("execution", "started_at", "train"),
    "close_ingestion": ("outcome", "state", "state.execution", "state.started_at"),
    "publish_monitor": ("detail", "detail.ProcessingJobName"),
    "start_monitor": (*RIGHT["start_monitor"], "job.ProcessingInputs", "job.ProcessingOutputConfig", "job.Environment"),
    "find_champion": ("challenger_uri",),
    "sign_evidence": tuple(RIGHT["sign_evidence"]),
    "reproduce_version": ("version", "run"),
    "start_training": ("reason",),
    "reconcile_choose": ("execution",),
    "reconcile_verify": (
        *RUN,
        *("target", "target.package_arn", "target.version", "target.artifact_sha256"),
        "standing.ChallengerModelPackageArn.version",
    ),
    "reconcile_recover": (*RUN, "recoveries"),
    "reconcile_update": (*RUN, *MOVE, "target", "target.package_arn", "target.version", "target.evidence_uri"),
    "reconcile_watch": (*RUN, *MOVE, "target", "target.package_arn", "target.version"),
    "reconcile_prove": (*RUN, *MOVE, "target", "target.package_arn", "canary", "canary.request", "canary.expected"),
    "reconcile_prove_asynchronous": (*RUN, *MOVE, "target.package_arn", "canary.request", "canary.expected"),
    "reconcile_prove_batch": (*RUN, *MOVE, "target.package_arn", "canary.request", "canary.expected"),
    "reconcile_pin": ("action", "version", "by", "reason"),
    "reconcile_record": ("record", "state", "state.execution"),
}
"""The places of an event without which the function could only guess."""

NULLABLE = {("reconcile_update", "target"), ("reconcile_watch", "target")}
"""Where nothing is an answer: no version is to serve."""

ENVIRONMENT = {
    "POWERTOOLS_LOG_LEVEL": "CRITICAL",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "MODEL_NAME": "bank_churn",
    "PIPELINE_NAME": "baton-dev-bank-churn",
    "MODEL_PACKAGE_GROUP": "baton-dev-bank-churn",
    "JOB_PREFIX": "baton-dev-bank-churn",
    "FEATURES_URI": "s3://features/bank_churn",
    "MODELS_URI": "s3://models/bank_churn",
    "STACK_NAME": "serving",
    "SERVING_KIND": "realtime",
    "INSTANCE_TYPE": "ml.m5.large",
    "WHEN_NONE_APPROVED": "withdraw",
    "MAX_LATENCY_MS": "200",
    "CANARY_INSTANCE_TYPE": "ml.m5.large",
    "VOLUME_KEY_ARN": "arn:aws:kms:eu-west-1:000000000000:key/models",
    "OUTPUT_KEY_ARN": "arn:aws:kms:eu-west-1:000000000000:key/data",
    "ANSWERS_URI": "s3://monitoring/bank_churn/canary-answers",
    "CANARY_URI": "s3://monitoring/bank_churn/canary",
    "STATE_MACHINE_ARN": "arn:aws:states:eu-west-1:000000000000:stateMachine:reconcile",
    "ENDPOINT_NAME": "baton-dev-bank-churn",
    "EXECUTION_ROLE_ARN": "arn:aws:iam::000000000000:role/deployer",
    "TOPIC_ARN": "arn:aws:sns:eu-west-1:000000000000:people",
    "LEDGER_TABLE": "ledger",
    "STARTS_TABLE": "starts",
    "CURATED_BUCKET": "curated",
    "EVIDENCE_BUCKET": "evidence",
    "MODELS_BUCKET": "models",
    "SIGNING_KEY_ARN": "arn:aws:kms:eu-west-1:000000000000:key/signer",
    "ENVIRONMENT_NAME": "dev",
    "LINEAGE_PREFIX": "baton-dev",
    "SOURCE": "core_banking",
    "VARIANT_NAME": "live",
    "COOLDOWN_HOURS": "24",
    "MAX_PER_WEEK": "3",
    "CLAIM_SECONDS": "3600",
    "LIMIT_SECONDS": "3600",
}

READS = ("Get", "List", "Describe", "Query", "Head", "BatchGet")


class Reached(Exception):
    """The function has come to ask AWS something, so it took the event."""


@dataclass
class Aws:
    """What a function asks of AWS. Nothing is answered: the first question ends the call."""

    asked: list[str] = field(default_factory=list)

    @property
    def writes(self) -> list[str]:
        """What would have changed something."""
        return [operation for operation in self.asked if not operation.startswith(READS)]

    def ask(self, operation: str) -> None:
        self.asked.append(operation)
        raise Reached(operation)


@contextmanager
def silent_aws() -> Iterator[Aws]:
    """Every call of every client is only noted."""
    aws = Aws()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in ENVIRONMENT.items():
            patch.setenv(name, value)
        patch.setattr(botocore.client.BaseClient, "_make_api_call", lambda _, operation, asked: aws.ask(operation))
        yield aws


@dataclass(frozen=True, kw_only=True)
class Fate:
    """What became of an event: what the function asked of AWS, and its error, or the answer by which it refuses.

    Without either it was taken; of a malformed one nobody would ever hear.
    """

    asked: tuple[str, ...]
    writes: tuple[str, ...]
    refused: str | None


def called(aws: Aws, function: str, event: Any) -> Fate:
    """Call a function's handler, as Lambda does."""
    handler: Callable[[Any, Any], Any] = importlib.import_module(f"pipeline_scripts.functions.{function}").handler
    aws.asked.clear()
    refused = None
    try:
        answer = handler(event, SimpleNamespace(aws_request_id="request-1"))
        refused = str(answer.get("why") or "") or None
    except Reached:
        pass
    except Exception as error:
        refused = f"{type(error).__name__}: {error}"
    return Fate(asked=tuple(aws.asked), writes=tuple(aws.writes), refused=refused)


WRONG: tuple[Any, ...] = (None, 17, -1, 2.5, True, "", [], {}, ["x"], {"x": "y"}, "\x00", "💥" * 40, "x" * 300_000)


def malformed(function: str, draw: random.Random) -> tuple[str, Any]:
    """What was done, and an event that the function cannot make sense of."""
    if draw.random() < 0.1:
        whole = draw.choice([None, [], "text", 5, True, {}, [RIGHT[function]]])
        return f"{type(whole).__name__} for the event", whole
    event = copy.deepcopy(RIGHT[function])
    place = draw.choice(NEEDED[function])
    *way, last = place.split(".")
    holder = event
    for step in way:
        holder = holder[step]
    if draw.random() < 0.3:
        del holder[last]
        return f"without {place}", event
    wrong = [value for value in WRONG if _is_wrong(function, place, holder[last], value)]
    holder[last] = draw.choice(wrong)
    return f"{str(holder[last])[:20]!r} for {place}", event


def _is_wrong(function: str, place: str, right: Any, value: Any) -> bool:
    """Whether no reader could take the value for what belongs there: another kind of thing, or an empty text."""
    if value is None:
        return (function, place) not in NULLABLE
    if isinstance(right, str):
        return not isinstance(value, str) or (value == "" and place.rpartition(".")[2] not in OPTIONAL)
    if isinstance(right, bool):
        return not isinstance(value, bool)
    if isinstance(right, int | float):
        return isinstance(value, bool) or not isinstance(value, int | float)
    if isinstance(right, dict):
        return not isinstance(value, dict)
    return not isinstance(value, type(right))


OPTIONAL = {"evidence_uri", "artifact_sha256", "instance_type", "previous_type", "reason"}
"""What may be empty: of a version that was registered by somebody else, of one that stays where it is, or unsaid."""
