"""What the front door adds to ministack: the services, resource types and behaviour that our stacks rely on."""
