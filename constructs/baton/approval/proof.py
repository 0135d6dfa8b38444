"""How a version is proven: as its kind of serving is asked, and with the permissions that this way of asking needs."""

import aws_cdk as cdk
from constructs import Construct

from baton.approval.step import Step
from baton.approval.target import ServingTarget
from baton.foundation.ledger import Ledger
from baton.permissions import allow
from baton.platform import Platform

LONGEST_JOB_PREFIX = 38
"""Of the 63 characters of a job's name; the rest tells canaries from each other."""


def proof(scope: Construct, name: str, *, platform: Platform, target: ServingTarget, ledger: Ledger) -> Step:
    """The step that asks a question whose answer is known.

    Args:
        scope: Where it belongs.
        name: Its name there.
        platform: Zones and keys.
        target: What is asked.
        ledger: Where a step that waits for its answer keeps the lock.
    """
    if target.kind == "asynchronous":
        return _of_later_answers(scope, name, platform=platform, target=target, ledger=ledger)
    if target.kind == "batch":
        return _of_batches(scope, name, platform=platform, target=target, ledger=ledger)
    return _of_answers_at_once(scope, name, platform=platform, target=target)


def _of_answers_at_once(scope: Construct, name: str, *, platform: Platform, target: ServingTarget) -> Step:
    step = Step(
        scope,
        name,
        platform=platform,
        target=target,
        description="proves by a canary which version serves, and how soon it answers",
        environment={"MAX_LATENCY_MS": str(target.max_latency_ms)},
    )
    step.let_see_stack()
    step.let_see_endpoint("sagemaker:InvokeEndpoint")
    return step


def _of_later_answers(
    scope: Construct, name: str, *, platform: Platform, target: ServingTarget, ledger: Ledger
) -> Step:
    """A canary is left in S3, as any request is, and its answer is read there."""
    zone = platform.zones.monitoring
    step = Step(
        scope,
        name,
        platform=platform,
        target=target,
        handler="reconcile_prove_asynchronous",
        description="leaves a canary for the endpoint and proves by its answer which version serves",
        environment={"CANARY_URI": zone.s3_url_for_object(target.canary_prefix)},
    )
    step.let_remember(ledger, "UpdateItem")
    step.let_see_stack()
    step.let_see_endpoint("sagemaker:InvokeEndpointAsync")
    _let_exchange(step, platform=platform, target=target, canaries="canary-of-version-*")
    return step


def _of_batches(scope: Construct, name: str, *, platform: Platform, target: ServingTarget, ledger: Ledger) -> Step:
    """A canary is the whole input of a transform job of its own, which runs as every other of the model does."""
    zone, job = platform.zones.monitoring, f"{target.endpoint_name[:LONGEST_JOB_PREFIX]}-canary"
    volume_key = platform.keys.models.key_arn
    [answers] = target.answer_prefixes
    step = Step(
        scope,
        name,
        platform=platform,
        target=target,
        handler="reconcile_prove_batch",
        description="transforms a canary and proves by its answer which version serves",
        environment={
            "CANARY_JOB": job,
            "CANARY_URI": zone.s3_url_for_object(target.canary_prefix),
            "ANSWER_URI": zone.s3_url_for_object(answers),
            "CANARY_INSTANCE_TYPE": target.canary_instance_type,
            "DATA_KEY_ARN": platform.keys.data.key_arn,
            "VOLUME_KEY_ARN": volume_key,
        },
    )
    step.let_remember(ledger, "UpdateItem")
    step.let_see_stack()
    jobs = cdk.Stack.of(scope).format_arn(service="sagemaker", resource="transform-job", resource_name=f"{job}-*")
    allow(
        step.role,
        [f"sagemaker:{call}TransformJob" for call in ("Create", "Describe", "Stop")],
        [jobs],
        why="A canary's job is named after the attempt that it proves.",
    )
    via = {"StringEquals": {"kms:ViaService": f"sagemaker.{platform.region}.amazonaws.com"}}
    allow(step.role, ["kms:CreateGrant", "kms:DescribeKey"], [volume_key], conditions=via)
    _let_exchange(step, platform=platform, target=target, canaries=f"{job}-*/canary.csv")
    return step


def _let_exchange(step: Step, *, platform: Platform, target: ServingTarget, canaries: str) -> None:
    """Let it leave `canaries` in the zone, and read their answers."""
    zone = platform.zones.monitoring
    allow(
        step.role,
        ["s3:PutObject"],
        [zone.arn_for_objects(f"{target.canary_prefix}{canaries}")],
        why="A canary is named after what it asks.",
    )
    allow(
        step.role,
        ["s3:GetObject"],
        [zone.arn_for_objects(f"{prefix}*") for prefix in target.answer_prefixes],
        why="SageMaker names the answers; all below these prefixes are this model's own.",
    )
    # Without it S3 says of an answer that is not there yet that it may not be read.
    allow(step.role, ["s3:ListBucket"], [zone.bucket_arn])
    allow(step.role, ["kms:Decrypt", "kms:GenerateDataKey"], [platform.keys.data.key_arn])
