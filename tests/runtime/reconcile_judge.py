"""What must hold when a day is over, told from what people did and from what was really proven."""

from tests.runtime.reconcile_faulty import MAY_STAND, FaultyBeside, FaultyWorld
from tests.runtime.reconcile_world import BAD_MACHINES, ENDPOINT, World, beside_of


def judge(world: FaultyWorld) -> None:
    """What serves, and what stands beside it, is what people decided on, and nothing moves any more."""
    quarantined = {int(arn.rpartition("/")[2]) for arn in world.ledger.quarantined()}
    approved = {number for number, version in world.versions.items() if version.status == "Approved"}
    expected = _expected(world, approved - quarantined)
    wrong = world.verdict.wrong
    if world.serving != expected:
        wrong.append(f"{world.serving} serves, {expected} should")
    if not quarantined <= world.to_blame:
        wrong.append(f"{sorted(quarantined - world.to_blame)} were blamed for nothing")
    if world.status.endswith("_IN_PROGRESS"):
        wrong.append(f"the stack is {world.status}")
    if world.serving is None and world.ledger.current():
        wrong.append("the ledger names a version although none serves")
    if world.serving is not None:
        _judge_what_serves(world, world.serving, kept=not approved - quarantined)
        _judge_beside(world, quarantined)


def _judge_what_serves(world: FaultyWorld, number: int, *, kept: bool) -> None:
    version, verdict = world.versions[number], world.verdict
    verdict.rejected_serves += version.status != "Approved" and not (kept and world.when_none_approved == "keep")
    if version.behaviour != "good":
        verdict.wrong.append(f"{number} serves although it is {version.behaviour}")
    if world.ledger.current().get("package_arn") != version.arn:
        verdict.wrong.append("the ledger names another version than the one that serves")
    if world.parameters.get("Scaling", "on") != "on":
        verdict.wrong.append("scaling was left off")
    if world.endpoint_status != "InService":
        verdict.wrong.append(f"the endpoint is {world.endpoint_status}")


def _judge_beside(world: FaultyWorld, quarantined: set[int]) -> None:
    """What the endpoint really runs, whatever its stack says of it."""
    for parameter, number in world.beside.items():
        out_of_place = number in quarantined or world.versions[number].status not in MAY_STAND[parameter]
        world.verdict.rejected_serves += out_of_place
        if isinstance(world, FaultyBeside) and not world.is_as_signed(number):
            world.verdict.wrong.append(f"{number} stands beside although it is not what was signed")
    if world.beside != beside_of(world.parameters):
        world.verdict.wrong.append(f"{world.beside} stand beside, the stack says {beside_of(world.parameters)}")


def _expected(world: FaultyWorld, servable: set[int]) -> int | None:
    """What should serve, told from what people did and from what was really proven."""
    pinned = int(world.ledger.pin().get("version", 0))
    kept = world.last_proven if world.when_none_approved == "keep" else None
    return pinned if pinned in servable else max(servable, default=kept)


def judge_machines(world: FaultyWorld) -> None:
    """Once all is at rest, what serves is on the machines that are wanted, or on good ones if those would not do."""
    unfit = set(world.ledger.unfit())
    # A version that came together with them, and was then rejected, is not tried a second time to acquit them.
    suspects = {name for name, number in world.came_together.items() if world.versions[number].status != "Approved"}
    if not unfit <= world.machines_to_blame | suspects:
        world.verdict.wrong.append(f"{sorted(unfit - world.machines_to_blame - suspects)} were refused for nothing")
    if world.refused_by_sagemaker:
        world.verdict.wrong.append(f"SageMaker refused: {world.refused_by_sagemaker}")
    machines = world.parameters.get("InstanceType")
    if world.serving is None or machines is None:
        return
    if machines != world.instance_type and world.instance_type not in unfit:
        world.verdict.wrong.append(f"{machines} serve, {world.instance_type} are wanted")
    if machines in BAD_MACHINES:
        world.verdict.wrong.append(f"{machines} serve, which are {BAD_MACHINES[machines]}")


def judge_notices(world: FaultyWorld) -> None:
    """Once all is at rest, people know of each version that was refused, and of one that is kept."""
    refused = (int(arn.rpartition("/")[2]) for arn in world.ledger.quarantined())
    expected = [f"{ENDPOINT}: version {number} was refused" for number in sorted(refused)]
    if world.serving is not None and world.versions[world.serving].status != "Approved":
        expected.append(f"{ENDPOINT} keeps version {world.serving}, which is no longer approved")
    world.verdict.wrong += [f"nobody was told: {subject}" for subject in expected if subject not in world.notices]


def was_told_of(world: World, run: str) -> bool:
    """Whether people heard that this run failed."""
    return any(
        subject == f"{ENDPOINT}: reconciling failed" and f"execution: {run}" in message.splitlines()
        for subject, message in zip(world.notices, world.messages, strict=True)
    )
