"""What of a model's data set lies in the Feature Store, and for how long."""

from pydantic import Field

from baton.specification.base import Specification


class FeatureStore(Specification):
    """The model's feature group: its inputs, by the surrogate of the person they are about.

    SageMaker cannot take a feature out of a group, nor change its key, its encryption or its stores. `version` names a
    new group (`_v2`) beside the old one for a change of that kind. `ttl_days`: how long an online record lives.
    """

    version: int = Field(default=1, ge=1)
    online: bool = True
    ttl_days: int | None = Field(default=90, ge=1, le=3650)
