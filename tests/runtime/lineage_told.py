"""A lineage that only remembers what it was told."""

from collections.abc import Iterable

from pipeline_scripts.functions.lineage import Lineage, Link


class LineageTold(Lineage):
    """Keeps the links."""

    def __init__(self) -> None:
        super().__init__(None, prefix="baton-dev-bank-churn")
        self.links: list[Link] = []

    def tell(self, links: Iterable[Link]) -> None:
        self.links += links

    @property
    def kinds(self) -> set[tuple[str, str]]:
        """Which kind led to which."""
        return {(earlier.kind, later.kind) for earlier, later in self.links}

    def properties(self, kind: str) -> dict[str, str]:
        """What was told of the last entity of a kind."""
        told = [entity for link in self.links for entity in link if entity.kind == kind]
        return dict(told[-1].properties)

    def address(self, kind: str) -> str:
        """The address of the last entity of a kind."""
        return [entity.address for link in self.links for entity in link if entity.kind == kind][-1]
