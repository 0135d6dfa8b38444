"""How much of an endpoint an environment pays for."""

from pydantic import Field, model_validator

from baton.specification.base import Specification


class ServingCapacity(Specification):
    """Instances, from which to which, and `bake_minutes`: how long a deployment is watched before it goes on."""

    instance_count: int = Field(ge=1, le=100)
    max_instance_count: int = Field(ge=1, le=100)
    bake_minutes: int = Field(ge=1, le=60)

    @model_validator(mode="after")
    def _can_grow(self) -> "ServingCapacity":
        if self.max_instance_count < self.instance_count:
            raise ValueError(f"max_instance_count is below instance_count ({self.instance_count})")
        return self
