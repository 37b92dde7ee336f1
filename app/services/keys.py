"""API keys: made and shown once, checked by hash."""

from pydantic import SecretStr

from app.secrets import is_key, new_api_key, prefix_of
from app.services.parts import Parts
from app.store import keys

ADMIN = "admin"


def make(parts: Parts, name: str) -> SecretStr:
    """Make a key; its text is known to the caller alone from now on."""
    key = new_api_key()
    with parts.db.write() as conn:
        keys.create(conn, name=name, prefix=key.prefix, hashed=key.hash, at=parts.clock.now())
    return key.text


def first_key(parts: Parts) -> SecretStr | None:
    """The admin key, where no key exists yet; None where one does."""
    with parts.db.read() as conn:
        present = keys.list_all(conn)
    return None if present else make(parts, ADMIN)


def holder(parts: Parts, text: str) -> str | None:
    """The name of the key, None where it is not ours; compared in constant time."""
    prefix = prefix_of(text)
    if prefix is None:
        return None
    with parts.db.read() as conn:
        row = keys.by_prefix(conn, prefix)
    return row.name if row is not None and is_key(text, row.hash) else None
