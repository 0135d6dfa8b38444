"""Findings of cdk-nag that are answered once for a whole environment, each with the reason a reviewer is given."""

from aws_cdk import Acknowledgment, Annotations, Validations
from constructs import IConstruct

REASONS = {
    "NIST.800.53.R5-IAMNoInlinePolicy": (
        "The policies are generated from grants, each for the one role it belongs to. As managed policies they could "
        "be attached to other roles, which would widen what they allow."
    ),
    "NIST.800.53.R5-LambdaInsideVPC": (
        "The functions call AWS APIs only, hold no data and open no port; IAM bounds what they reach. Inside the VPC "
        "they would need interface endpoints for CloudFormation, Step Functions, SNS and EventBridge and gain nothing."
    ),
    "NIST.800.53.R5-LambdaConcurrency": (
        "Each function is called a few times an hour by a rule or a workflow that runs one at a time; a reserved "
        "concurrency would take capacity from the account's other functions without bounding anything."
    ),
    "NIST.800.53.R5-S3BucketReplicationEnabled": (
        "Objects are versioned and kept by S3 across three zones. A copy in another region is a question of the bank's "
        "data residency, so it is left to the owner of the account."
    ),
    "NIST.800.53.R5-DynamoDBInBackupPlan": (
        "The tables have point-in-time recovery, and can be rebuilt from the model registry, which is the record."
    ),
}


def acknowledge(scope: IConstruct) -> None:
    """Answer these findings, and one warning of the CDK's, for everything below `scope`."""
    Annotations.of(scope).acknowledge_warning(
        "@aws-cdk/aws-events:ruleUnresolvedEnvironment",
        "A rule and its target are always of one environment; its account may be left to the credentials.",
    )
    answers = [Acknowledgment(id=finding, reason=reason) for finding, reason in REASONS.items()]
    Validations.of(scope).acknowledge(*answers)
