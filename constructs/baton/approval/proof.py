"""How a version is proven: as its kind of serving is asked, and with the permissions that this way of asking needs."""

from aws_cdk import Stack
from constructs import Construct

from baton.approval.step import Step
from baton.approval.target import ServingTarget
from baton.foundation.ledger import Ledger
from baton.permissions import allow
from baton.platform import Platform


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
        minutes=3,  # an explanation may take as long as SageMaker lets any answer take, which is one
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
    """A transform job of the stack's model answers a canary in S3."""
    zone, keys = platform.zones.monitoring, platform.keys
    jobs = f"{target.endpoint_name[:40]}-canary"
    stack = Stack.of(scope)
    step = Step(
        scope,
        name,
        platform=platform,
        target=target,
        handler="reconcile_prove_batch",
        description="has a transform job answer a canary and proves by the answer which version serves",
        environment={
            "JOB_PREFIX": jobs,
            "CANARY_URI": zone.s3_url_for_object(target.canary_prefix),
            "ANSWERS_URI": zone.s3_url_for_object(target.answer_prefixes[0]),
            "CANARY_INSTANCE_TYPE": target.canary_instance_type,
            "VOLUME_KEY_ARN": keys.models.key_arn,
            "OUTPUT_KEY_ARN": keys.data.key_arn,
        },
    )
    step.let_remember(ledger, "UpdateItem")
    step.let_see_stack()
    _let_exchange(step, platform=platform, target=target, canaries=f"{jobs}-*")
    allow(
        step.role,
        [f"sagemaker:{call}TransformJob" for call in ("Create", "Describe", "Stop")],
        [stack.format_arn(service="sagemaker", resource="transform-job", resource_name=f"{jobs}-*")],
        why="Each attempt of a proof has a job of its own name.",
    )
    allow(
        step.role,
        ["sagemaker:DescribeModel"],
        [stack.format_arn(service="sagemaker", resource="model", resource_name="*")],
        why="CloudFormation names models; describing one changes nothing.",
    )
    # Who makes a job lets SageMaker use the keys of its volume and of its output.
    for_jobs = [keys.models.key_arn, keys.data.key_arn]
    allow(step.role, ["kms:DescribeKey"], for_jobs)
    allow(step.role, ["kms:CreateGrant"], for_jobs, conditions={"Bool": {"kms:GrantIsForAWSResource": "true"}})
    return step


def _let_exchange(step: Step, *, platform: Platform, target: ServingTarget, canaries: str) -> None:
    """Let it leave canaries of these names, and read what is answered to this model's requests."""
    zone = platform.zones.monitoring
    allow(
        step.role,
        ["s3:PutObject"],
        [zone.arn_for_objects(f"{target.canary_prefix}{canaries}")],
        why="A canary is named after the version or the attempt that it is for.",
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
