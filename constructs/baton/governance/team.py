"""The personas of the platform, as roles."""

from constructs import Construct

from baton.governance.persona import Persona
from baton.governance.studio import StudioDomain
from baton.governance.work import DATA_ENGINEER, DATA_SCIENTIST, MLOPS_ENGINEER, Work
from baton.registry.approval_rule import (
    OFFICER,
    deny_approval_statements,
    deny_rewriting_statement,
    deny_serving_statements,
)

DESCRIPTIONS = {
    OFFICER: "Reads the evidence of a version, and approves or rejects it",
    DATA_SCIENTIST: "Starts trainings and reads what they made",
    DATA_ENGINEER: "Runs ingestions, reads the curated zone and asks for erasures",
    MLOPS_ENGINEER: "Deploys, and keeps endpoints, monitors and workflows running",
}


class Team(Construct):
    """The four personas of the platform.

    None of them passes a role to a service, reads the vault, a secret or the raw zone, or writes evidence.

    Args:
        work: What they do.
        studio: Where each opens the profile of their persona; None in an environment without Studio.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        work: Work,
        studio: StudioDomain | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        everywhere, in_person = work.everywhere(), work.in_person()
        self.personas = {
            name: Persona(
                self,
                "".join(word.capitalize() for word in name.split("-")),
                name=name,
                description=description,
                duties=[*in_person[name], *everywhere[name], *([studio.open_profile(name)] if studio else [])],
                denied=[deny_rewriting_statement()]
                if name == OFFICER
                else [*deny_approval_statements(), *deny_serving_statements()],
            )
            for name, description in DESCRIPTIONS.items()
        }
