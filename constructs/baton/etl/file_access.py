"""The way to files in S3."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from baton.etl.source_access import SourceAccess, assume
from baton.foundation.network import PrivateNetwork
from baton.permissions import allow


class FileAccess(SourceAccess):
    """The files below one prefix of a bucket; IAM is their only login.

    Args:
        bucket_name: The bucket, in the region of the network: a gateway endpoint leads to no other.
        prefix: The folder in it, with or without a slash at its end.
        network: The network the workers run in; its gateway endpoint leads to S3.
        role_arn: The role to read as, where the bucket is another account's. That account says what the role may do.
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
            place={"bucket": bucket_name, **({} if role_arn is None else {"role": role_arn})},
            network=network,
        )
        self._bucket_name = bucket_name
        self._prefix = prefix.rstrip("/")
        self._role_arn = role_arn
        self._key_arn = key_arn

    def grant_read(self, role: iam.Role) -> None:
        """Let `role` list and read what lies below the prefix, or become the role that may."""
        super().grant_read(role)
        if self._role_arn is not None:
            assume(role, self._role_arn)
            return
        stack = cdk.Stack.of(self)
        bucket = f"arn:{stack.partition}:s3:::{self._bucket_name}"
        allow(role, ["s3:ListBucket"], [bucket], conditions={"StringLike": {"s3:prefix": [f"{self._prefix}/*"]}})
        allow(
            role,
            ["s3:GetObject"],
            [f"{bucket}/{self._prefix}/*"],
            why="The source's owner adds files as they come; the prefix bounds them to those of this model.",
        )
        if self._key_arn is not None:
            decrypt = {"StringEquals": {"kms:ViaService": f"s3.{stack.region}.amazonaws.com"}}
            allow(role, ["kms:Decrypt"], [self._key_arn], conditions=decrypt)
