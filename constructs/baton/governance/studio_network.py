"""What of the private network Studio's apps reach."""

from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from baton.foundation.network import HTTPS, PrivateNetwork

# What notebooks call besides what jobs call: their own front door, and what personas start and query.
INTERFACE_SERVICES = {
    "Studio": ec2.InterfaceVpcEndpointAwsService.SAGEMAKER_STUDIO,
    "Athena": ec2.InterfaceVpcEndpointAwsService.ATHENA,
    "Lambda": ec2.InterfaceVpcEndpointAwsService.LAMBDA_,
    "Workflows": ec2.InterfaceVpcEndpointAwsService.STEP_FUNCTIONS,
}


class StudioNetwork(Construct):
    """A security group for the apps, and the endpoints that only they need.

    Nothing comes in, and 443 leads to interface endpoints, S3 and DynamoDB: the network has no way to the internet. The
    databases' ports, which jobs may reach, stay closed to notebooks.

    Args:
        network: The environment's network.
    """

    def __init__(self, scope: Construct, construct_id: str, *, network: PrivateNetwork) -> None:
        super().__init__(scope, construct_id)
        self.apps = ec2.SecurityGroup(
            self, "Apps", vpc=network.vpc, description="Apps of Studio", allow_all_outbound=False
        )
        self.apps.add_egress_rule(ec2.Peer.any_ipv4(), HTTPS, "S3, DynamoDB and interface endpoints")
        network.admit(self.apps, "Apps of Studio")
        endpoints = ec2.SecurityGroup(
            self,
            "Endpoints",
            vpc=network.vpc,
            description="Interface endpoints, for Studio alone",
            allow_all_outbound=False,
        )
        endpoints.add_ingress_rule(self.apps, HTTPS, "Apps of Studio")
        for construct_id, service in INTERFACE_SERVICES.items():
            ec2.InterfaceVpcEndpoint(
                self,
                construct_id,
                vpc=network.vpc,
                service=service,
                subnets=ec2.SubnetSelection(subnets=network.vpc.isolated_subnets),
                security_groups=[endpoints],
                open=False,
                private_dns_enabled=True,
            )
