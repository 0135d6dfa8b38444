"""The way to files in S3."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from baton.etl.iam_access import IamAccess
from baton.foundation.network import PrivateNetwork
from baton.permissions import allow


class FileAccess(IamAccess):
    """The files below one prefix of a bucket.

    Args:
        bucket_name: The bucket, in the region of the network: a gateway endpoint leads to no other.
        prefix: The folder in it, with or without a slash at its end.
        network: The network the workers run in.
        role_arn: The role to read as, where the bucket is another account's.
        key_arn: The customer-managed key of a bucket of this account, if it has one.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        bucket_name: str,
        prefix: str,
        network: PrivateNetwork,
        role_arn: str | None = None,
        key_arn: str | None = None,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            engine="s3",
            place={"bucket": bucket_name},
            network=network,
            role_arn=role_arn,
            key_arn=key_arn,
        )
        self._bucket_name = bucket_name
        self._prefix = prefix.rstrip("/")

    def _grant_read_itself(self, role: iam.Role) -> None:
        bucket = f"arn:{cdk.Stack.of(self).partition}:s3:::{self._bucket_name}"
        allow(role, ["s3:ListBucket"], [bucket], conditions={"StringLike": {"s3:prefix": [f"{self._prefix}/*"]}})
        allow(
            role,
            ["s3:GetObject"],
            [f"{bucket}/{self._prefix}/*"],
            why="The source's owner adds files as they come; the prefix bounds them to those of this model.",
        )
