"""What tells the pipeline which version the new one has to measure up to."""

from constructs import Construct

from baton.platform import Platform
from baton.registry.approval_rule import forbid_approval
from baton.registry.model_registry import ModelRegistry
from baton.registry.reading import let_read


class ChampionFinder(Construct):
    """A function that looks the highest approved version up, and may do nothing else.

    Args:
        platform: The environment's foundation.
        model: The model's name.
        registry: Where it looks.

    Attributes:
        function: What the pipeline's step calls; see `pipeline_scripts.functions.find_champion`.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, platform: Platform, model: str, registry: ModelRegistry
    ) -> None:
        super().__init__(scope, construct_id)
        handler = platform.handler_function(
            self,
            "Handler",
            handler="find_champion",
            description=f"Finds the highest approved version of {model}",
            environment={"MODEL_PACKAGE_GROUP": registry.group_name},
        )
        self.function = handler.function
        let_read(handler.role, registry)
        forbid_approval(handler.role)
