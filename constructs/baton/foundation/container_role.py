"""The role that a SageMaker container of the platform runs as."""

from collections.abc import Sequence

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from baton.foundation.network import PrivateNetwork
from baton.permissions import allow

# Describing network interfaces and logging in to a registry know no resource to be scoped to.
UNSCOPED = [
    "ec2:DescribeDhcpOptions",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
    "ecr:GetAuthorizationToken",
]


class ContainerRole(Construct):
    """Pulls its images, writes its logs, and stands in the private network; data is granted one prefix at a time.

    Args:
        description: Whose role this is.
        network: Where the container runs; None where SageMaker keeps it in a network of its own.
        images: The URIs of the images it may pull.
        log_group_prefix: Where SageMaker writes its logs, such as `/aws/sagemaker/Endpoints/`.

    See:
        https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        description: str,
        network: PrivateNetwork | None,
        images: Sequence[str],
        log_group_prefix: str,
    ) -> None:
        super().__init__(scope, construct_id)
        self.role = iam.Role(
            self, "Resource", assumed_by=iam.ServicePrincipal("sagemaker.amazonaws.com"), description=description
        )
        self.grant_principal = self.role
        unscoped = UNSCOPED if network is not None else ["ecr:GetAuthorizationToken"]
        allow(self.role, unscoped, ["*"], why="These calls know no resource to be scoped to.")
        allow(
            self.role,
            ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
            [repository_arn(self, image) for image in images],
        )
        if network is not None:
            self._stand_in(network)
        log_group = Stack.of(self).format_arn(service="logs", resource=f"log-group:{log_group_prefix}*")
        allow(
            self.role,
            ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
            [log_group],
            why="SageMaker names the log groups and streams of what it runs.",
        )

    def grant_read(self, bucket: s3.IBucket, prefix: str, key: kms.IKey) -> None:
        """Let the container read the objects under `prefix`, and learn of those that do not exist."""
        self._objects(["s3:GetObject"], bucket, prefix)
        allow(self.role, ["s3:ListBucket"], [bucket.bucket_arn], conditions={"StringLike": {"s3:prefix": f"{prefix}*"}})
        allow(self.role, ["kms:Decrypt"], [key.key_arn])

    def grant_write(self, bucket: s3.IBucket, prefix: str, key: kms.IKey) -> None:
        """Let the container add objects under `prefix`."""
        self._objects(["s3:PutObject", "s3:AbortMultipartUpload"], bucket, prefix)
        allow(self.role, ["kms:GenerateDataKey", "kms:Decrypt"], [key.key_arn])

    def grant_volumes(self, key: kms.IKey) -> None:
        """Let SageMaker attach volumes that are encrypted with `key`."""
        allow(self.role, ["kms:CreateGrant"], [key.key_arn], conditions={"Bool": {"kms:GrantIsForAWSResource": "true"}})
        allow(self.role, ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKeyWithoutPlaintext"], [key.key_arn])

    def _stand_in(self, network: PrivateNetwork) -> None:
        stack = Stack.of(self)
        interfaces = stack.format_arn(service="ec2", resource="network-interface", resource_name="*")
        subnets = [
            stack.format_arn(service="ec2", resource="subnet", resource_name=name) for name in network.subnet_ids
        ]
        groups = [
            stack.format_arn(service="ec2", resource="security-group", resource_name=name)
            for name in network.security_group_ids
        ]
        why = "An interface has no name before it is made; the subnets bound where that may be."
        allow(self.role, ["ec2:CreateNetworkInterface"], [interfaces, *subnets, *groups], why=why)
        allow(
            self.role,
            [
                "ec2:CreateNetworkInterfacePermission",
                "ec2:DeleteNetworkInterface",
                "ec2:DeleteNetworkInterfacePermission",
            ],
            [interfaces],
            why=why,
            conditions={"ArnEquals": {"ec2:Subnet": subnets}},
        )

    def _objects(self, actions: list[str], bucket: s3.IBucket, prefix: str) -> None:
        why = "The objects under this prefix are of this model, and their names are not known before they are made."
        allow(self.role, actions, [bucket.arn_for_objects(f"{prefix}*")], why=why)


def repository_arn(scope: Construct, image: str) -> str:
    """The ECR repository of an image that is named by a tag or a digest."""
    host, _, path = image.partition("/")
    account, region = host.split(".")[0], host.split(".")[3]
    repository = path.partition("@")[0].partition(":")[0]
    return Stack.of(scope).format_arn(
        service="ecr", resource="repository", resource_name=repository, account=account, region=region
    )
