"""A secret that changes with its use: nobody's change is lost, none is stored in clear."""

import threading

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from app.secrets import SecretBox
from app.services.keeping import StoredSecret
from app.store import connections
from app.store.database import Database
from connectors.errors import Retry
from connectors.keeping import Secret
from tests.conftest import NOON


@pytest.fixture
def box() -> SecretBox:
    return SecretBox(SecretStr(Fernet.generate_key().decode()))


@pytest.fixture
def kept(database: Database, box: SecretBox) -> StoredSecret:
    with database.write() as conn:
        connection_id = connections.create(
            conn,
            name="acme",
            crm="salesforce",
            config={},
            secret=box.seal({"refresh_token": "0"}),
            at=NOON,
        )
    return StoredSecret(database, lambda: box, connection_id)


def stored(kept: StoredSecret) -> str:
    with kept.db.read() as conn:
        sealed = connections.get(conn, "acme").secret
    assert sealed is not None
    return sealed


def next_of(secret: Secret) -> Secret:
    return {"refresh_token": str(int(secret["refresh_token"]) + 1)}


def test_many_at_once_use_each_token_once(kept: StoredSecret, box: SecretBox) -> None:
    used: list[str] = []

    def renew(secret: Secret) -> Secret:
        used.append(secret["refresh_token"])
        return next_of(secret)

    threads = [threading.Thread(target=kept.exchange, args=(renew,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(used) == [str(number) for number in range(8)]
    assert box.open(stored(kept)) == {"refresh_token": "8"}


def test_a_refusal_leaves_the_secret_and_an_unchanged_one_is_not_written(
    kept: StoredSecret,
) -> None:
    before = stored(kept)

    def refuse(secret: Secret) -> Secret:
        raise Retry(f"passing trouble with {len(secret)} secrets")

    with pytest.raises(Retry):
        kept.exchange(refuse)
    kept.exchange(lambda secret: secret)
    assert stored(kept) == before
