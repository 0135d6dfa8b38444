"""The network that jobs and endpoints run in: no way in, and no way out to the internet."""

from collections.abc import Sequence

from aws_cdk import Acknowledgment, Stack, Validations
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from constructs import Construct

INTERFACE_SERVICES = {
    "SageMakerApi": ec2.InterfaceVpcEndpointAwsService.SAGEMAKER_API,
    "SageMakerRuntime": ec2.InterfaceVpcEndpointAwsService.SAGEMAKER_RUNTIME,
    "SageMakerFeatureStore": ec2.InterfaceVpcEndpointAwsService.SAGEMAKER_FEATURESTORE_RUNTIME,
    "Logs": ec2.InterfaceVpcEndpointAwsService.CLOUDWATCH_LOGS,
    "Monitoring": ec2.InterfaceVpcEndpointAwsService.CLOUDWATCH_MONITORING,
    "EcrApi": ec2.InterfaceVpcEndpointAwsService.ECR,
    "EcrDocker": ec2.InterfaceVpcEndpointAwsService.ECR_DOCKER,
    "Sts": ec2.InterfaceVpcEndpointAwsService.STS,
    "Kms": ec2.InterfaceVpcEndpointAwsService.KMS,
    "SecretsManager": ec2.InterfaceVpcEndpointAwsService.SECRETS_MANAGER,
    "Glue": ec2.InterfaceVpcEndpointAwsService.GLUE,
}
HTTPS = ec2.Port.tcp(443)
# RFC 1918: where a company's databases live, over a peering or a transit gateway.
PRIVATE_RANGES = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")


class PrivateNetwork(Construct):
    """Isolated subnets whose only neighbours are the AWS services that jobs call.

    There is no internet gateway and no NAT, so the route tables know the VPC itself, S3 and DynamoDB and nothing
    else. Whoever owns the company's network adds the route to the databases.

    Args:
        cidr: The range of the VPC.
        availability_zones: The zones to span, by name, so that synthesis asks no account for them.
        log_key: Encrypts the flow logs.
        log_retention: How long the flow logs are kept.
        database_ports: TCP ports of the databases that jobs may reach at private addresses.
        foreign_buckets: Names of buckets of other accounts that jobs may read, besides all of this account's.
        foreign_table_accounts: Ids of other accounts whose DynamoDB tables jobs may read, besides this account's.

    See:
        https://docs.aws.amazon.com/glue/latest/dg/setup-vpc-for-glue-access.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        cidr: str,
        availability_zones: Sequence[str],
        log_key: kms.IKey,
        log_retention: logs.RetentionDays,
        database_ports: Sequence[int] = (),
        foreign_buckets: Sequence[str] = (),
        foreign_table_accounts: Sequence[str] = (),
    ) -> None:
        super().__init__(scope, construct_id)
        self.vpc = ec2.Vpc(
            self,
            "Resource",
            ip_addresses=ec2.IpAddresses.cidr(cidr),
            availability_zones=list(availability_zones),
            nat_gateways=0,
            subnet_configuration=[
                ec2.SubnetConfiguration(name="Isolated", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED, cidr_mask=24)
            ],
        )
        Validations.of(self.vpc).acknowledge(
            Acknowledgment(
                id="NIST.800.53.R5-VPCDefaultSecurityGroupClosed",
                reason="CloudFormation cannot edit the default group; nothing is ever put into it, and a custom "
                "resource allowed to edit security groups would be the greater risk.",
            ),
            Acknowledgment(
                id="CloudFormation-Validate::W3010",
                reason="The zones are configuration: without their names synthesis would have to ask the account.",
            ),
        )
        self.job_security_group = self._job_security_group(database_ports)
        self._reach_buckets(sorted(set(foreign_buckets)))
        self._reach_tables(sorted(set(foreign_table_accounts)))
        self._endpoints = self._reach_services()
        self._log_flows(log_key, log_retention)
        self.subnet_ids = [subnet.subnet_id for subnet in self.vpc.isolated_subnets]
        self.security_group_ids = [self.job_security_group.security_group_id]

    def _job_security_group(self, database_ports: Sequence[int]) -> ec2.SecurityGroup:
        group = ec2.SecurityGroup(
            self, "Jobs", vpc=self.vpc, description="Jobs and endpoints of the platform", allow_all_outbound=False
        )
        # Spark's driver and executors talk on ports of their own choice; Glue refuses a connection without this rule.
        group.connections.allow_internally(ec2.Port.all_tcp(), "Workers of one job to each other")
        # The addresses of S3 and DynamoDB are prefix lists that only a lookup in the account could name. The route
        # tables do what the rule cannot: 443 leads to those two services and to nothing else.
        group.add_egress_rule(ec2.Peer.any_ipv4(), HTTPS, "S3, DynamoDB and interface endpoints")
        for port in sorted(set(database_ports)):
            for private_range in PRIVATE_RANGES:
                group.add_egress_rule(ec2.Peer.ipv4(private_range), ec2.Port.tcp(port), "Databases of the company")
        return group

    def _reach_buckets(self, foreign: Sequence[str]) -> None:
        """S3 without the internet, and no bucket of somebody else's to carry data to."""
        storage = self.vpc.add_gateway_endpoint("S3", service=ec2.GatewayVpcEndpointAwsService.S3)
        stack = Stack.of(self)
        storage.add_to_policy(
            iam.PolicyStatement(
                sid="BucketsOfThisAccount",
                principals=[iam.AnyPrincipal()],
                actions=["s3:*"],
                resources=["*"],
                conditions={"StringEquals": {"aws:ResourceAccount": stack.account}},
            )
        )
        storage.add_to_policy(
            iam.PolicyStatement(
                sid="ImageLayersAndGlueLibraries",
                principals=[iam.AnyPrincipal()],
                actions=["s3:GetObject"],
                resources=[
                    f"arn:{stack.partition}:s3:::prod-{stack.region}-starport-layer-bucket/*",
                    f"arn:{stack.partition}:s3:::aws-glue-*/*",
                ],
            )
        )
        if foreign:
            arns = [f"arn:{stack.partition}:s3:::{bucket}" for bucket in foreign]
            storage.add_to_policy(
                iam.PolicyStatement(
                    sid="SourcesOfOtherAccounts",
                    principals=[iam.AnyPrincipal()],
                    actions=["s3:GetBucketLocation", "s3:GetObject", "s3:ListBucket"],
                    resources=[*arns, *(f"{arn}/*" for arn in arns)],
                )
            )

    def _reach_tables(self, foreign_accounts: Sequence[str]) -> None:
        """DynamoDB without the internet, and no table of somebody else's to carry data to."""
        tables = self.vpc.add_gateway_endpoint("DynamoDb", service=ec2.GatewayVpcEndpointAwsService.DYNAMODB)
        tables.add_to_policy(
            iam.PolicyStatement(
                sid="TablesOfThisAccount",
                principals=[iam.AnyPrincipal()],
                actions=["dynamodb:*"],
                resources=["*"],
                conditions={"StringEquals": {"aws:ResourceAccount": Stack.of(self).account}},
            )
        )
        if foreign_accounts:
            tables.add_to_policy(
                iam.PolicyStatement(
                    sid="SourcesOfOtherAccounts",
                    principals=[iam.AnyPrincipal()],
                    actions=["dynamodb:DescribeTable", "dynamodb:Scan"],
                    resources=["*"],
                    conditions={"StringEquals": {"aws:ResourceAccount": list(foreign_accounts)}},
                )
            )

    def admit(self, group: ec2.ISecurityGroup, description: str) -> None:
        """Let members of a group of another stack reach the interface endpoints; the rule lies in that stack."""
        self._endpoints.add_ingress_rule(group, HTTPS, description, True)

    def _reach_services(self) -> ec2.SecurityGroup:
        group = ec2.SecurityGroup(
            self, "Endpoints", vpc=self.vpc, description="Interface endpoints, for jobs alone", allow_all_outbound=False
        )
        group.add_ingress_rule(self.job_security_group, HTTPS, "Jobs of the platform")
        for construct_id, service in INTERFACE_SERVICES.items():
            self.vpc.add_interface_endpoint(
                construct_id, service=service, security_groups=[group], open=False, private_dns_enabled=True
            )
        return group

    def _log_flows(self, log_key: kms.IKey, log_retention: logs.RetentionDays) -> None:
        group = logs.LogGroup(self, "FlowLogGroup", encryption_key=log_key, retention=log_retention)
        self.vpc.add_flow_log("FlowLog", destination=ec2.FlowLogDestination.to_cloud_watch_logs(group))
