"""The machines that jobs can run on, and that a model can be served on."""

import re
from typing import Annotated

from pydantic import AfterValidator

from baton.specification.base import InstanceType

LOCAL_STORAGE = re.compile(r"ml\.([a-z]+\d[a-z]*d[a-z]*|g5|g6e?|p5[a-z]*|trn1n?)\.")
"""Families with drives of their own, which a d after the generation says of most.

See:
    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateEndpointConfig.html
"""


def _takes_a_key(instance_type: str) -> str:
    if LOCAL_STORAGE.match(instance_type):
        raise ValueError(
            f"SageMaker refuses a customer key for the volumes of {instance_type}, because it has drives of its own; "
            "take a type without"
        )
    return instance_type


def _scales_under_guard(instance_type: str) -> str:
    if re.match(r"ml\.t[23]\.", instance_type):
        raise ValueError(f"burstable instances cannot auto-scale, got {instance_type}")
    if instance_type.startswith("ml.inf1."):
        raise ValueError(
            "SageMaker deploys to Inf1 instances all at once and without roll-back, whatever deployment says; take "
            "another type"
        )
    return instance_type


Machine = Annotated[InstanceType, AfterValidator(_takes_a_key)]
"""One whose volumes are under a customer key."""

ScalingMachine = Annotated[Machine, AfterValidator(_scales_under_guard)]
"""One of a fleet that scales, and that is replaced under the eyes of alarms."""
