"""The most that a service of the platform can ever do in an account."""

from aws_cdk import Acknowledgment, Validations
from aws_cdk import aws_iam as iam
from constructs import Construct, IConstruct

from baton.registry.approval_rule import deny_approval_statements

# What functions, jobs, workflows and endpoints call. None of it changes a person's or another role's permissions, the
# policy of a key or a bucket, a function's code or a trail: these come with a deployment, through CloudFormation.
CALLS = (
    "application-autoscaling:*Scal*",
    "application-autoscaling:*Scheduled*",
    "cloudformation:DescribeStack*",
    "cloudformation:UpdateStack",
    "cloudwatch:DeleteAlarms",
    "cloudwatch:DescribeAlarms",
    "cloudwatch:ListTagsForResource",
    "cloudwatch:PutMetric*",
    "cloudwatch:TagResource",
    "cloudwatch:UntagResource",
    "dynamodb:*Item",
    "dynamodb:DescribeTable",
    "dynamodb:Query",
    "dynamodb:Scan",
    "ec2:CreateNetworkInterface*",
    "ec2:CreateTags",
    "ec2:DeleteNetworkInterface*",
    "ec2:Describe*",
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:GetAuthorizationToken",
    "ecr:GetDownloadUrlForLayer",
    "glue:BatchStopJobRun",
    "glue:CreatePartition",
    "glue:Get*",
    "glue:PublishDataQuality",
    "glue:Start*",
    "glue:UpdateTable",
    "iam:CreateServiceLinkedRole",
    "iam:PassRole",
    "kms:CreateGrant",
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey*",
    "kms:GetPublicKey",
    "kms:ReEncrypt*",
    "kms:Sign",
    "kms:Verify",
    "lambda:InvokeFunction",
    "logs:*LogDeliver*",
    "logs:AssociateKmsKey",
    "logs:CreateLog*",
    "logs:Describe*",
    "logs:PutLogEvents",
    "logs:PutResourcePolicy",
    "s3:Abort*",
    "s3:DeleteObject*",
    "s3:Get*",
    "s3:List*",
    "s3:PutObject*",
    "sagemaker:AddAssociation",
    "sagemaker:AddTags",
    "sagemaker:Create*",
    "sagemaker:Delete*",
    "sagemaker:Describe*",
    "sagemaker:Get*",
    "sagemaker:InvokeEndpoint",
    "sagemaker:List*",
    "sagemaker:PutRecord",
    "sagemaker:Start*",
    "sagemaker:Stop*",
    "sagemaker:UpdateEndpoint*",
    "sagemaker:UpdateMonitoringSchedule",
    "scheduler:*Schedule",
    "secretsmanager:DescribeSecret",
    "secretsmanager:GetSecretValue",
    "sns:Publish",
    "sqs:SendMessage",
    "ssm:GetParameters",
    "states:DescribeExecution",
    "states:StartExecution",
    "sts:AssumeRole",
    "xray:GetSampling*",
    "xray:Put*",
)


class ServiceBoundary(Construct):
    """One boundary for every role that a service wears.

    Whatever is attached to such a role later, it gains no call beyond these, and a verdict not even then: persons'
    roles have boundaries of their own.
    """

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        self.policy = iam.ManagedPolicy(
            self,
            "Resource",
            description="The most that a service of the platform can ever do",
            statements=[
                iam.PolicyStatement(actions=list(CALLS), resources=["*"]),
                *deny_approval_statements(),
            ],
        )
        reason = "A boundary grants nothing: it lists the calls, and each role's own policy names calls and resources."
        findings = ["Resource::*", *(f"Action::{call}" for call in CALLS if "*" in call)]
        Validations.of(self.policy).acknowledge(
            *(Acknowledgment(id=f"AwsSolutions-IAM5[{finding}]", reason=reason) for finding in findings)
        )

    def hold(self, *scopes: IConstruct) -> None:
        """Set this boundary for every role below each of the scopes, also those that the CDK itself adds."""
        for scope in scopes:
            iam.PermissionsBoundary.of(scope).apply(self.policy)
