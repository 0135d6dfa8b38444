"""Who may tell SageMaker Lineage what: the permissions behind `pipeline_scripts/functions/lineage.py`."""

from collections.abc import Sequence

import aws_cdk as cdk

from baton.foundation.runtime_code import HandlerFunction
from baton.permissions import allow


def let_tell_lineage(
    handler: HandlerFunction, *, environment: str, model: str, actions: Sequence[str], contexts: bool = False
) -> None:
    """Let a handler record some kinds of action of one model, and artifacts, and that one led to another.

    Args:
        handler: The function.
        environment: The environment's name, which begins the names of its actions.
        model: The model's name, which goes on with them.
        actions: Which actions it does, by their types in `pipeline_scripts/functions/lineage_words.py`.
        contexts: Whether they lead to an endpoint, which SageMaker records as a context.
    """
    prefix = f"baton-{environment}-{model.replace('_', '-')}"
    handler.function.add_environment("LINEAGE_PREFIX", prefix)
    stack = cdk.Stack.of(handler)
    own = [
        stack.format_arn(service="sagemaker", resource="action", resource_name=f"{prefix}-{kind.lower()}-*")
        for kind in actions
    ]
    artifacts = stack.format_arn(service="sagemaker", resource="artifact", resource_name="*")
    ends = [*own, artifacts]
    if contexts:
        ends.append(stack.format_arn(service="sagemaker", resource="context", resource_name="*"))
    allow(
        handler.role,
        ["sagemaker:CreateAction", "sagemaker:DescribeAction"],
        own,
        why="The name of an action ends in a hash of what it tells of.",
    )
    allow(
        handler.role,
        ["sagemaker:CreateArtifact"],
        [artifacts],
        why="SageMaker names an artifact by a hash of its address.",
    )
    allow(
        handler.role,
        ["sagemaker:AddAssociation"],
        ends,
        why="SageMaker names artifacts and contexts itself, and an association changes neither of its ends.",
    )
    listing = ["sagemaker:ListArtifacts", *(["sagemaker:ListContexts"] if contexts else [])]
    allow(handler.role, listing, ["*"], why="Lists of lineage know no resource to be scoped to.")
