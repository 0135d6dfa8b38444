"""What all workflows have in common: how they are logged, and how a step is called and tried again."""

import math
from collections.abc import Mapping, Sequence

import aws_cdk as cdk
from aws_cdk import Acknowledgment, Validations
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from baton.permissions import acknowledge_wildcards

# Lambda's own errors, and those of AWS services under load. An error of the steps' own is not among them.
TRANSIENT = [
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
    "Lambda.Unknown",
    "Sandbox.Timedout",
    "ClientError",
    "InternalFailure",
    "InternalServerError",
    "ModelNotReadyException",
    "ProvisionedThroughputExceededException",
    "ServiceUnavailable",
    "ThrottlingException",
    "ConnectTimeoutError",
    "EndpointConnectionError",
    "ReadTimeoutError",
]

MOST_LOOKS = 2000
"""Step Functions keeps 25,000 events of a run, and each look with its waiting makes up to eleven."""


def rest_between_looks(poll: cdk.Duration, *, within: cdk.Duration) -> cdk.Duration:
    """How long a run waits before it looks again: `poll`, or longer where it may have to look for very long."""
    return cdk.Duration.seconds(max(int(poll.to_seconds()), math.ceil(within.to_seconds() / MOST_LOOKS)))


def state_machine(
    scope: Construct,
    construct_id: str,
    *,
    definition: sfn.IChainable,
    calls: Sequence[lambda_.IFunction],
    time_limit: cdk.Duration,
    key: kms.IKey,
    log_retention: logs.RetentionDays,
) -> sfn.StateMachine:
    """A standard state machine, traced, and logged under a customer's key.

    Args:
        scope: Where it belongs.
        construct_id: Its id there.
        definition: Its states.
        calls: The functions that they call.
        time_limit: When an execution is ended.
        key: Encrypts the log.
        log_retention: How long the log is kept.
    """
    machine = sfn.StateMachine(
        scope,
        construct_id,
        state_machine_type=sfn.StateMachineType.STANDARD,
        definition_body=sfn.DefinitionBody.from_chainable(definition),
        timeout=time_limit,
        tracing_enabled=True,
        logs=sfn.LogOptions(
            destination=logs.LogGroup(scope, "Logs", encryption_key=key, retention=log_retention),
            level=sfn.LogLevel.ALL,
            include_execution_data=True,
        ),
    )
    acknowledge_wildcards(
        machine.role,
        [f"{function.function_arn}:*" for function in calls],
        reason="The CDK grants a function together with its versions; these functions have none but the latest.",
    )
    Validations.of(machine.role).acknowledge(
        Acknowledgment(
            id="AwsSolutions-IAM5[Resource::*]",
            reason="The delivery of logs and the traces of X-Ray know no resource to be scoped to.",
        )
    )
    return machine


def call(
    scope: Construct,
    name: str,
    function: lambda_.IFunction,
    *,
    payload: sfn.TaskInput | None = None,
    result_path: str | None = None,
) -> tasks.LambdaInvoke:
    """A step that calls a function, and again where that may help; its answer is the new state, or lies at a path."""
    task = tasks.LambdaInvoke(
        scope,
        name,
        lambda_function=function,
        payload=payload,
        payload_response_only=True,
        result_path=result_path,
        retry_on_service_exceptions=False,  # the list below holds these, and more
    )
    retry(task, TRANSIENT)
    return task


def retry(task: sfn.TaskStateBase, errors: Sequence[str]) -> None:
    """Try a step again after these errors, five times within a minute or so."""
    task.add_retry(
        errors=list(errors),
        interval=cdk.Duration.seconds(2),
        max_attempts=5,
        backoff_rate=2,
        jitter_strategy=sfn.JitterType.FULL,
    )


def follow(scope: Construct, name: str, ways: Mapping[str, sfn.IChainable], *, otherwise: sfn.IChainable) -> sfn.Choice:
    """Follow the `outcome` that a step's answer states; one that is not listed is a failure."""
    choice = sfn.Choice(scope, name)
    for said, way in ways.items():
        choice.when(sfn.Condition.string_equals("$.outcome", said), way)
    return choice.otherwise(otherwise)
