"""A Data Wrangler flow as a step of the pipeline."""

from typing import Annotated

from pydantic import StringConstraints

from baton.specification.base import Specification
from baton.specification.machine import Machine


class Wrangler(Specification):
    """A flow that a data engineer drew, run on the data set before it is split.

    `flow` is a file under config/flows/; `node` the flow's node whose output is taken, its last one unless told.
    """

    flow: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]+\.flow$")]
    node: str | None = None
    instance_type: Machine = "ml.m5.4xlarge"
