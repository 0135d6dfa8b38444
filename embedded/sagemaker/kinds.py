"""What kinds of resources have in common: an ARN's path, and members that are called after one word."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ResourceKind:
    """One kind of resource.

    Attributes:
        noun: What follows Create, Describe and Delete in the operations' names.
        path: What its ARN says before the name.
    """

    noun: str
    path: str

    @property
    def stem(self) -> str:
        """What its members are called after: its noun, for nearly every kind."""
        return self.noun

    @property
    def name_key(self) -> str:
        """The member that names it."""
        return f"{self.stem}Name"

    @property
    def arn_key(self) -> str:
        """The member that holds its ARN."""
        return f"{self.stem}Arn"
