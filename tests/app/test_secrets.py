"""Stored credentials are sealed, keys are hashed, and nothing of either is ever printed."""

import stat
import threading
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from app import log, secrets
from app.errors import BadInput, Conflict
from app.secrets import SecretBox

SECRET = {"consumer_key": "abc", "consumer_secret": "hush"}


def fresh() -> str:
    return Fernet.generate_key().decode()


def test_what_is_sealed_comes_out_again_and_does_not_show() -> None:
    box = SecretBox(SecretStr(fresh()))
    token = box.seal(SECRET)
    assert "hush" not in token
    assert box.open(token) == SECRET
    assert box.open(None) == {}


def test_the_first_start_makes_a_key_file_for_its_owner_only(tmp_path: Path) -> None:
    token = secrets.box(None, tmp_path).seal(SECRET)
    assert stat.S_IMODE((tmp_path / "secret.key").stat().st_mode) == 0o600
    assert secrets.box(None, tmp_path).open(token) == SECRET


def test_a_key_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    secrets.box(None, tmp_path)
    (tmp_path / "secret.key").chmod(0o644)
    with pytest.raises(Conflict, match="chmod 600"):
        secrets.box(None, tmp_path)


def test_a_key_from_the_environment_leaves_no_file(tmp_path: Path) -> None:
    secrets.box(SecretStr(fresh()), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_rotated_key_still_opens_what_the_old_one_sealed() -> None:
    old, new = fresh(), fresh()
    token = SecretBox(SecretStr(old)).seal(SECRET)
    both = SecretBox(SecretStr(f"{new},{old}"))
    assert both.open(token) == SECRET
    assert SecretBox(SecretStr(new)).open(both.seal(SECRET)) == SECRET


def test_another_key_is_told_as_such() -> None:
    token = SecretBox(SecretStr(fresh())).seal(SECRET)
    with pytest.raises(Conflict, match="another key"):
        SecretBox(SecretStr(fresh())).open(token)


def test_a_key_that_is_none_is_refused_without_showing_it() -> None:
    with pytest.raises(BadInput) as caught:
        SecretBox(SecretStr("hush-but-no-key"))
    assert caught.value.field == "FORESTAGE_SECRET_KEY"
    assert "hush" not in str(caught.value)


def test_a_box_prints_no_key() -> None:
    key = fresh()
    assert key not in repr(SecretBox(SecretStr(key)))


def test_an_api_key_is_found_by_its_prefix_and_checked_by_its_hash() -> None:
    key = secrets.new_api_key()
    text = key.text.get_secret_value()
    assert secrets.prefix_of(text) == key.prefix
    assert secrets.is_key(text, key.hash)
    assert not secrets.is_key(text + "x", key.hash)
    assert text not in repr(key)


@given(st.text())
def test_no_text_at_all_breaks_the_search_for_a_prefix(text: str) -> None:
    prefix = secrets.prefix_of(text)
    assert prefix is None or text.startswith(f"fst_{prefix}_")


@pytest.mark.parametrize(
    ("event", "shown"),
    [
        ({"consumer_secret": "hush"}, {"consumer_secret": "**********"}),
        ({"headers": {"Authorization": "hush"}}, {"headers": {"Authorization": "**********"}}),
        ({"event": "sent Bearer hush now"}, {"event": "sent Bearer ********** now"}),
        ({"event": "key fst_0a1b_hush"}, {"event": "key fst_0a1b_**********"}),
        (
            {"url": "postgresql://me:hush@host/name"},
            {"url": "postgresql://me:**********@host/name"},
        ),
        ({"deals": 3}, {"deals": 3}),
    ],
)
def test_a_log_line_hides_secrets_wherever_they_stand(
    event: dict[str, Any], shown: dict[str, Any]
) -> None:
    assert log.hide_secrets(None, "info", event) == shown


def test_two_first_starts_at_once_agree_on_one_key(tmp_path: Path) -> None:
    boxes: list[SecretBox] = []
    threads = [
        threading.Thread(target=lambda: boxes.append(secrets.box(None, tmp_path))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    token = boxes[0].seal(SECRET)
    assert [box.open(token) for box in boxes] == [SECRET] * 8
