"""`baton registry`: what another environment's file has to say to take its versions from this one."""

import yaml

from cli import options
from cli.sharing import shared_registry


def registry(env: options.Environment = "dev", embedded: options.Embedded = False) -> None:
    """Print the key `registry` for the file of an environment that is to take its versions from this one."""
    content = shared_registry(options.connection(embedded=embedded), env)
    print(yaml.safe_dump({"registry": content}, sort_keys=False), end="")
