"""Lets a write ask S3 for `aws:kms` without naming a key, as the CDK's command line does."""

from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import s3

_ALGORITHM = "x-amz-server-side-encryption"
_KEY = "x-amz-server-side-encryption-aws-kms-key-id"


def install() -> None:
    """S3 then takes the bucket's default key, or the account's own key for S3; ministack refuses the write."""
    resolve = s3._resolve_sse_write_headers

    def resolve_with_key(headers: dict[str, str], bucket: str) -> Any:
        if headers.get(_ALGORITHM) == "aws:kms" and not headers.get(_KEY):
            default = s3._bucket_default_sse_headers(bucket).get(_KEY)
            own = f"arn:aws:kms:{get_region()}:{get_account_id()}:alias/aws/s3"
            headers = {**headers, _KEY: default or own}
        return resolve(headers, bucket)

    s3._resolve_sse_write_headers = resolve_with_key
