import re
from pathlib import Path

import pytest

from connectors.files.columns import COLUMNS
from connectors.files.settings import OPTIONS

DOCS = (Path(__file__).parents[3] / "docs" / "import.md").read_text()


@pytest.mark.parametrize("kind", COLUMNS)
def test_every_column_is_documented(kind: str) -> None:
    section = re.search(rf"\*\*{kind}\*\*.*?(?=\n\*\*|\n## )", DOCS, re.DOTALL | re.IGNORECASE)
    assert section is not None
    missing = [name for name in COLUMNS[kind] if f"`{name}`" not in section.group()]
    assert not missing


@pytest.mark.parametrize("option", OPTIONS)
def test_every_option_of_a_mapping_is_documented(option: str) -> None:
    assert f"\n{option} = " in DOCS
