from pathlib import Path

import pytest

from tests.connectors.files.export import Export


@pytest.fixture
def export(tmp_path: Path) -> Export:
    return Export(tmp_path)
