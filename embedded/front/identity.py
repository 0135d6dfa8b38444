"""Who calls: the principal behind the access key of a request, as ministack's STS and IAM know it."""

from collections.abc import Mapping

from ministack.core.iam_evaluator import resolve_caller_identity
from ministack.core.responses import get_account_id
from ministack.core.router import extract_access_key_id

from embedded.front.api import Caller


def caller_of(headers: Mapping[str, str], query: Mapping[str, list[str]]) -> Caller:
    """Find the caller of a request; an access key that nobody issued counts as the account's root."""
    identity = resolve_caller_identity(extract_access_key_id(headers, query))
    if identity is None:
        account = get_account_id()
        return Caller(arn=f"arn:aws:iam::{account}:root", principal_id=account)
    return Caller(arn=identity["userArn"], principal_id=identity["userId"])
