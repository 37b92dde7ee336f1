"""What the tests of the practice Salesforce share."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from connectors.sandbox.salesforce.store import Store
from tests.sandbox.fixtures import Sandbox, fresh_sandbox, salesforce_sandbox

__all__ = ["fresh_sandbox", "salesforce_sandbox"]


@pytest.fixture(scope="session")
def client(salesforce_sandbox: Sandbox) -> Any:
    return salesforce_sandbox.client()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(Store(tmp_path / "crm.db")) as opened:
        yield opened
