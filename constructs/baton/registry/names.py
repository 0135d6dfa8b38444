"""The names by which the environments know each other's registry: no reference leads from one account to another."""


def group_name(environment: str, slug: str) -> str:
    """The group that holds the versions of a model that `environment` trains."""
    return f"baton-{environment}-{slug}"


def bus_name(environment: str) -> str:
    """The bus on which `environment` hears of the versions that it takes from another account."""
    return f"baton-{environment}-versions"


def forwarding_rule_name(group: str, taker: str) -> str:
    """The rule that forwards what happens to a group's versions to the bus of `taker`."""
    return f"{group}-to-{taker}"
