"""SageMaker Studio: a place for notebooks that sees what its persona sees, and nothing of the internet."""

from collections.abc import Mapping, Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from baton.governance.bounded_role import BoundedRole, Duty
from baton.governance.studio_access import StudioAccess
from baton.governance.studio_network import StudioNetwork
from baton.platform import Platform
from baton.registry.approval_rule import deny_approval_statements, deny_serving_statements

VOLUME_GIBIBYTES, LARGEST_VOLUME_GIBIBYTES = 10, 100
SHORTEST_IDLE_MINUTES = 60  # SageMaker takes no shorter one
# Everything that Studio offers besides JupyterLab.
HIDDEN_APPS = [
    "Canvas",
    "CodeEditor",
    "DetailedProfiler",
    "JupyterServer",
    "RStudioServerPro",
    "TensorBoard",
]


class StudioDomain(Construct):
    """A domain with one user profile for each persona, whose notebooks run as a role of their own.

    The role does what its persona does wherever they work, but not what they do in person: a notebook is code that
    somebody wrote, and no second factor stands before each of its cells. So no role of Studio bears the tag of a
    persona, gives a verdict or deploys, and each is denied both.

    Files live on the volume of a private space, under the domain's key. The domain has no home file system: one that
    SageMaker makes is left behind, with its security groups, when the domain goes.

    Args:
        platform: The environment's foundation.
        duties: By persona, what its notebooks may do.
        idle_minutes: After how long without work an app is shut down; its volume stays.
        directory_users: By persona, the user of IAM Identity Center that the profile is assigned to. None of them: the
            personas' own roles open the profiles.

    See:
        https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateDomain.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        platform: Platform,
        duties: Mapping[str, Sequence[Duty]],
        idle_minutes: int,
        directory_users: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        self._users = directory_users or {}
        self.key = kms.Key(
            self,
            "Key",
            description="Baton: volumes of Studio's spaces",
            enable_key_rotation=True,
            removal_policy=platform.removal_policy,
        )
        self.nobody = self._idle_role()
        network = StudioNetwork(self, "Network", network=platform.network)
        self._domain = sagemaker.CfnDomain(
            self,
            "Resource",
            domain_name=f"baton-{platform.environment_name}",
            auth_mode="SSO" if self._users else "IAM",
            vpc_id=platform.network.vpc.vpc_id,
            subnet_ids=platform.network.subnet_ids,
            app_network_access_type="VpcOnly",
            kms_key_id=self.key.key_id,
            home_efs_file_system_creation="Disabled",
            domain_settings=sagemaker.CfnDomain.DomainSettingsProperty(
                docker_settings=sagemaker.CfnDomain.DockerSettingsProperty(enable_docker_access="DISABLED"),
                # CloudTrail then names the profile in each call of a notebook.
                execution_role_identity_config="USER_PROFILE_NAME",
            ),
            default_user_settings=self._settings(network, idle_minutes),
        )
        self._domain.apply_removal_policy(platform.removal_policy)
        self.domain_id = self._domain.attr_domain_id
        self.roles = {name: self._profile(name, each) for name, each in duties.items()}

    def open_profile(self, persona: str) -> Duty:
        """Open the profile of one persona, from the persona's own role."""
        return self._access(persona).open()

    def _settings(self, network: StudioNetwork, idle_minutes: int) -> sagemaker.CfnDomain.UserSettingsProperty:
        domain = sagemaker.CfnDomain
        return domain.UserSettingsProperty(
            execution_role=self.nobody.role_arn,
            security_groups=[network.apps.security_group_id],
            auto_mount_home_efs="Disabled",
            studio_web_portal="ENABLED",
            default_landing_uri="studio::",
            studio_web_portal_settings=domain.StudioWebPortalSettingsProperty(hidden_app_types=HIDDEN_APPS),
            sharing_settings=domain.SharingSettingsProperty(notebook_output_option="Disabled"),
            space_storage_settings=domain.DefaultSpaceStorageSettingsProperty(
                default_ebs_storage_settings=domain.DefaultEbsStorageSettingsProperty(
                    default_ebs_volume_size_in_gb=VOLUME_GIBIBYTES,
                    maximum_ebs_volume_size_in_gb=LARGEST_VOLUME_GIBIBYTES,
                )
            ),
            jupyter_lab_app_settings=domain.JupyterLabAppSettingsProperty(
                app_lifecycle_management=domain.AppLifecycleManagementProperty(
                    idle_settings=domain.IdleSettingsProperty(
                        lifecycle_management="ENABLED",
                        idle_timeout_in_minutes=idle_minutes,
                        min_idle_timeout_in_minutes=SHORTEST_IDLE_MINUTES,
                        max_idle_timeout_in_minutes=idle_minutes,
                    )
                )
            ),
        )

    def _idle_role(self) -> iam.Role:
        """The domain wants a role for profiles that bring none; as this one they can do nothing."""
        role = iam.Role(
            self, "NobodyRole", description="What a profile without a role of its own may do", assumed_by=self._trust()
        )
        self._name_sessions(role)
        return role

    def _profile(self, persona: str, duties: Sequence[Duty]) -> iam.Role:
        name = "".join(word.capitalize() for word in persona.split("-"))
        bounded = BoundedRole(
            self,
            name,
            description=f"What a notebook of the {persona.replace('-', ' ')} may do",
            trust=self._trust(),
            duties=[*duties, *self._access(persona).work(self.key)],
            denied=[*deny_approval_statements(), *deny_serving_statements()],
        )
        self._name_sessions(bounded.role)
        user = self._users.get(persona)
        sagemaker.CfnUserProfile(
            self,
            f"{name}Profile",
            domain_id=self.domain_id,
            user_profile_name=persona,
            single_sign_on_user_identifier="UserName" if user else None,
            single_sign_on_user_value=user,
            user_settings=sagemaker.CfnUserProfile.UserSettingsProperty(execution_role=bounded.role.role_arn),
        )
        return bounded.role

    def _access(self, persona: str) -> StudioAccess:
        return StudioAccess(stack=cdk.Stack.of(self), domain_id=self.domain_id, profile=persona)

    def _trust(self) -> iam.PrincipalBase:
        return iam.ServicePrincipal(
            "sagemaker.amazonaws.com",
            conditions={"StringEquals": {"aws:SourceAccount": cdk.Stack.of(self).account}},
        )

    def _name_sessions(self, role: iam.Role) -> None:
        """Let SageMaker say whose notebook it is: the profile's name becomes the session's source identity."""
        assert role.assume_role_policy is not None
        role.assume_role_policy.add_statements(
            iam.PolicyStatement(
                actions=["sts:SetSourceIdentity"],
                principals=[iam.ServicePrincipal("sagemaker.amazonaws.com")],
                conditions={"StringEquals": {"aws:SourceAccount": cdk.Stack.of(self).account}},
            )
        )
