"""Running a practice CRM: what can be chosen, and that each CRM is what it says."""

from pathlib import Path

import pytest

from connectors.sandbox.run import CRMS, serve
from tests.sandbox.fixtures import running_sandbox


def test_there_is_no_practice_crm_of_another_name() -> None:
    with pytest.raises(ValueError, match="choose from salesforce, hubspot"):
        serve(crm="goldmine")


@pytest.mark.parametrize("crm", CRMS)
def test_each_crm_says_which_one_it_is_and_ends_when_told(tmp_path: Path, crm: str) -> None:
    with running_sandbox(tmp_path, crm=crm, deals=20) as sandbox:
        assert sandbox.state()["crm"] == crm
        assert sandbox.truth_path.exists()
    assert sandbox.process.returncode == 0
