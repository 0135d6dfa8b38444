"""How a version is proven: as its kind of serving is asked, and with the permissions that this way of asking needs."""

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
    zone, key = platform.zones.monitoring, platform.keys.data
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
    allow(
        step.role,
        ["s3:PutObject"],
        [zone.arn_for_objects(f"{target.canary_prefix}canary-of-version-*")],
        why="The canary is named after the version that it asks.",
    )
    allow(
        step.role,
        ["s3:GetObject"],
        [zone.arn_for_objects(f"{prefix}*") for prefix in target.answer_prefixes],
        why="SageMaker names the answers; all below these prefixes are this model's own.",
    )
    # Without it S3 says of an answer that is not there yet that it may not be read.
    allow(step.role, ["s3:ListBucket"], [zone.bucket_arn])
    allow(step.role, ["kms:Decrypt", "kms:GenerateDataKey"], [key.key_arn])
    return step
