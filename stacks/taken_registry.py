"""The registry of another environment, as an environment's file names it."""

from typing import Literal

from pydantic import Field

from baton.specification.base import ModelName, Specification
from stacks.connections import BucketName, KeyArn


class TakenRegistry(Specification):
    """Where an environment takes its versions from, instead of training its own.

    What follows `from` is what that environment's stacks are called by, written down because nothing leads from one
    account to another. So the keys that vouch for a version are part of what is reviewed.
    """

    owner: Literal["dev", "staging", "prod"] = Field(alias="from")
    models_bucket: BucketName
    evidence_bucket: BucketName
    models_key: KeyArn
    signing_keys: dict[ModelName, KeyArn]
