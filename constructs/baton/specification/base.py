"""What every part of a configuration file has in common, and the forms of names and numbers in it."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

ModelName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,30}$")]
ColumnName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,62}$")]
InstanceType = Annotated[str, StringConstraints(pattern=r"^ml\.[a-z0-9-]+\.[a-z0-9]+$")]
Fraction = Annotated[float, Field(gt=0, lt=1)]
Schedule = Annotated[str, StringConstraints(pattern=r"^(cron|rate)\(.+\)$")]


class Specification(BaseModel):
    """A part of a configuration file: immutable, and no key that nobody reads."""

    model_config = ConfigDict(frozen=True, extra="forbid")
