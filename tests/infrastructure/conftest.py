"""What the tests of infrastructure share beside the assembly of the app itself."""

import pytest

from tests.conftest import Assembly
from tests.infrastructure.kinds_assembly import synthesise


@pytest.fixture(scope="session")
def kinds_in_prod(tmp_path_factory: pytest.TempPathFactory) -> Assembly:
    """Every kind of serving on a fleet, with managed analyses."""
    return synthesise(tmp_path_factory.mktemp("kinds"), "prod")


@pytest.fixture(scope="session")
def kinds_in_dev(tmp_path_factory: pytest.TempPathFactory) -> Assembly:
    """Every kind of serving on a single instance, with open analyses."""
    return synthesise(tmp_path_factory.mktemp("kinds"), "dev")
