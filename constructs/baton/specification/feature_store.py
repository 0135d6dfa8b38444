"""What of a model's data set lies in the Feature Store, and for how long."""

from typing import Any

from pydantic import Field, model_validator

from baton.specification.base import Specification

EVENT_TIME = "event_time"
DATASET_RUN = "dataset_run"
RESERVED = frozenset({EVENT_TIME, DATASET_RUN, "is_deleted", "write_time", "api_invocation_time"})
"""What no input may be called: the first two are in every group of the platform, the others in every offline store."""


class FeatureStore(Specification):
    """The model's feature group: its inputs, by the surrogate of the person they are about.

    SageMaker cannot take a feature out of a group, nor change its key, its encryption or its stores. `version` names a
    new group (`-v2`) beside the old one for a change of that kind. `ttl_days`: how long an online record lives.
    """

    version: int = Field(default=1, ge=1)
    online: bool = True
    ttl_days: int | None = Field(default=90, ge=1, le=3650)

    @model_validator(mode="before")
    @classmethod
    def _forgets_only_what_is_online(cls, content: Any) -> Any:
        if isinstance(content, dict) and content.get("online") is False:
            if content.get("ttl_days") is not None:
                raise ValueError("ttl_days is of online records, and online is false; remove one of them")
            return {**content, "ttl_days": None}
        return content
