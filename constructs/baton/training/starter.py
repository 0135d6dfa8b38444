"""What starts a training: by hand, or because an alarm says so."""

from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from baton.foundation.lineage import let_tell_lineage
from baton.permissions import allow
from baton.platform import Platform
from baton.specification.model import ModelSpecification
from baton.training.pipeline import TrainingPipeline


class TrainingStarter(Construct):
    """A function that starts a pipeline on the current dataset, and a table that brakes it.

    A person is never held back; an alarm is, by the model's cooldown and its weekly cap. The table remembers who
    started what.

    Args:
        platform: The environment's foundation.
        model: The model to train.
        pipeline: Its pipeline.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        platform: Platform,
        model: ModelSpecification,
        pipeline: TrainingPipeline,
    ) -> None:
        super().__init__(scope, construct_id)
        self._platform = platform
        self.starts = dynamodb.Table(
            self,
            "Starts",
            partition_key=dynamodb.Attribute(name="model", type=dynamodb.AttributeType.STRING),
            sort_key=dynamodb.Attribute(name="entry", type=dynamodb.AttributeType.STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
            encryption_key=platform.keys.operations,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            removal_policy=platform.removal_policy,
        )
        self.handler = platform.handler_function(
            self,
            "Function",
            handler="start_training",
            description=f"Starts the training of {model.name} on its current dataset",
            environment={
                "PIPELINE_NAME": pipeline.pipeline_name,
                "MODEL_NAME": model.name,
                "CURATED_BUCKET": platform.zones.curated.bucket_name,
                "STARTS_TABLE": self.starts.table_name,
                "COOLDOWN_HOURS": str(model.retraining.cooldown_hours),
                "MAX_PER_WEEK": str(model.retraining.max_per_week),
            },
        )
        pipeline.grant_start(self.handler.function)
        let_tell_lineage(
            self.handler, environment=platform.environment_name, model=model.name, actions=["PipelineExecution"]
        )
        self._let_it_brake()
        self._let_it_read_the_pointer(f"{model.name}/current.json")

    def _let_it_brake(self) -> None:
        allow(self.handler.role, ["dynamodb:GetItem", "dynamodb:PutItem"], [self.starts.table_arn])
        allow(self.handler.role, ["kms:Decrypt"], [self._platform.keys.operations.key_arn])

    def _let_it_read_the_pointer(self, key: str) -> None:
        """Who may not list a bucket is told "access denied" where the truth is "no such object"."""
        role, bucket = self.handler.role, self._platform.zones.curated
        allow(role, ["s3:GetObject"], [bucket.arn_for_objects(key)])
        allow(role, ["s3:ListBucket"], [bucket.bucket_arn], conditions={"StringEquals": {"s3:prefix": key}})
        allow(role, ["kms:Decrypt"], [self._platform.keys.data.key_arn])
