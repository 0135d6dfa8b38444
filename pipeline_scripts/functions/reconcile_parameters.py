"""By which steps the serving stack's parameters come to be what they should. One step is one update of the stack."""

from collections.abc import Collection, Mapping

NOTHING = "none"
"""The value of the version parameters while no version is served."""

PACKAGE, INSTANCE_TYPE, SCALING = "ModelPackageArn", "InstanceType", "Scaling"
EXPLAINED, UNKNOWN = "ExplainedInputs", "unknown"
"""The parameter of a stack with an online explainer, and its value for a version that says nothing of its inputs."""

VERSION_PARAMETERS = (PACKAGE, "ModelVersion", "EvidenceUri")
WITHOUT_VERSION = dict.fromkeys(VERSION_PARAMETERS, NOTHING)


def wanted_parameters(
    target: Mapping[str, str] | None, *, instance_type: str, beside: Collection[str] = (), explained: str = ""
) -> dict[str, str]:
    """What the stack should be asked for in the end.

    Args:
        target: The version to serve; None: no version.
        instance_type: The machines to serve it on; empty: those that the stack has.
        beside: The parameters of versions beside it that have to go.
        explained: What the explainer must know of the version's inputs; empty before its evidence was read.
    """
    version = WITHOUT_VERSION
    if target is not None:
        values = (target["package_arn"], target["version"], target["evidence_uri"])
        version = dict(zip(VERSION_PARAMETERS, values, strict=True))
    machines = {INSTANCE_TYPE: instance_type} if instance_type else {}
    inputs = {EXPLAINED: explained} if explained and target is not None else {}
    return {**version, **dict.fromkeys(beside, NOTHING), SCALING: "on", **machines, **inputs}


def explains(parameters: Mapping[str, str]) -> bool:
    """Whether an endpoint with these parameters explains its answers, and so wraps all of them."""
    return parameters.get(EXPLAINED, NOTHING) not in (NOTHING, UNKNOWN)


def lacks_inputs(parameters: Mapping[str, str]) -> bool:
    """Whether an explainer came with a deployment, while a version served, and was not told of its inputs yet."""
    return parameters.get(EXPLAINED) == NOTHING and parameters[PACKAGE] != NOTHING


def next_parameters(current: Mapping[str, str], wanted: Mapping[str, str], *, lost: bool = False) -> dict[str, str]:
    """What the next update changes; nothing when the stack asks for all that is wanted.

    SageMaker refuses another instance type for a variant that scales, so scaling is switched off for that step. And it
    lets nothing but a deletion happen to an endpoint that is lost, so that one goes before another comes.

    Args:
        current: The stack's parameters. One that it does not have cannot be wanted of it.
        wanted: Their values in the end.
        lost: Whether the endpoint is beyond an update.
    """
    if lost and current[PACKAGE] != NOTHING:
        return WITHOUT_VERSION
    same = current[PACKAGE] == wanted[PACKAGE]
    if same and wanted[PACKAGE] == NOTHING:
        return {}  # nothing runs on machines or scales
    named = {
        name: value for name, value in wanted.items() if name in current and not (same and name in WITHOUT_VERSION)
    }
    left = {name: value for name, value in named.items() if current[name] != value}
    scaled = SCALING in current and NOTHING not in (current[PACKAGE], wanted[PACKAGE])
    if INSTANCE_TYPE not in left or not scaled:
        return left
    if current[SCALING] == "on":
        return {SCALING: "off"}
    return {name: value for name, value in left.items() if name != SCALING}
