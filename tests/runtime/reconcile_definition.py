"""The reconcile workflow as the construct synthesises it."""

import os
import sys
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs  # noqa: F401  (jsii loads the submodule that Lambda's stubs name)

from baton.approval.workflow import ReconcileWorkflow
from tests.runtime.state_machine import synthesised, with_functions_by_name

STEPS = ("choose", "recover", "verify", "update", "watch", "prove", "record")


@cache
def definition() -> dict[str, Any]:
    """The workflow's definition as the construct synthesises it; resources are reduced to the step's name."""
    os.environ["PATH"] = f"{Path(sys.prefix) / 'bin'}{os.pathsep}{os.environ['PATH']}"
    stack = cdk.Stack()
    functions = {
        step: SimpleNamespace(
            function=lambda_.Function.from_function_arn(
                stack, step, f"arn:aws:lambda:eu-west-1:000000000000:function:{step}"
            )
        )
        for step in STEPS
    }
    workflow = ReconcileWorkflow(
        stack,
        "Workflow",
        steps=SimpleNamespace(**functions, all=list(functions.values())),  # type: ignore[arg-type]
        poll=cdk.Duration.seconds(2),
        time_limit=cdk.Duration.hours(1),
        key=kms.Key(stack, "Key"),
        log_retention=logs.RetentionDays.ONE_DAY,
    )
    return with_functions_by_name(synthesised(workflow.machine))
