"""One model, as the personas see it."""

from dataclasses import dataclass

from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn

from baton.etl.glue_job import GlueEtlJob
from baton.registry.model_registry import ModelRegistry


@dataclass(frozen=True, kw_only=True)
class GovernedModel:
    """What of one model the personas work on.

    `name` is its prefix in every zone; `start_monitor` is None where SageMaker runs the monitors itself or there are
    none, and `feature_group_arn` where the model has no feature store. `invoke_actions` are the calls that ask its
    endpoint; of a batch, none.
    """

    name: str
    etl: GlueEtlJob
    ingestion: sfn.StateMachine
    ingestion_ledger_arn: str
    registry: ModelRegistry
    pipeline_arn: str
    endpoint_name: str
    start_training: lambda_.IFunction
    reproduce: lambda_.IFunction
    start_monitor: lambda_.IFunction | None
    reconcile: sfn.StateMachine
    ledger_arn: str
    feature_group_arn: str | None = None
    invoke_actions: tuple[str, ...] = ("sagemaker:InvokeEndpoint",)
