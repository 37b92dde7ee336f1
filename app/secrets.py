"""Secrets: what encrypts stored credentials, and API keys that are stored as hashes.

The Fernet key comes from the environment, else from a 0600 file in the data directory,
made when first needed. Several keys, comma separated and newest first, rotate: all
decrypt, the first encrypts.
"""

import hashlib
import hmac
import json
import os
import secrets
import stat
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from pydantic import SecretStr

from app.errors import BadInput, Conflict

KEY_FILE = "secret.key"
_API_PREFIX_BYTES = 5
_API_SECRET_BYTES = 32


class NewKey(NamedTuple):
    """A fresh API key: `text` is shown once, only `prefix` and `hash` are stored."""

    text: SecretStr
    prefix: str
    hash: str


class SecretBox:
    """Encrypts and decrypts what is stored. Printing it shows nothing."""

    def __init__(self, keys: SecretStr) -> None:
        parts = [part.strip() for part in keys.get_secret_value().split(",") if part.strip()]
        try:
            self._fernet = MultiFernet([Fernet(part) for part in parts])
        except ValueError:
            raise BadInput(
                "FORESTAGE_SECRET_KEY", "not a Fernet key (32 bytes, URL-safe base64)"
            ) from None

    def __repr__(self) -> str:
        return "SecretBox(**********)"

    def seal(self, secret: Mapping[str, str]) -> str:
        """`secret` as a token that can be stored."""
        return self._fernet.encrypt(json.dumps(dict(secret)).encode()).decode()

    def open(self, token: str | None) -> dict[str, str]:
        """What was sealed; {} for None. Conflict where the key is another one."""
        if token is None:
            return {}
        try:
            opened: dict[str, str] = json.loads(self._fernet.decrypt(token.encode()))
        except InvalidToken:
            raise Conflict(
                "the stored credentials were encrypted with another key: give the old one too "
                "(FORESTAGE_SECRET_KEY=new,old), or restore secret.key in the data directory"
            ) from None
        return opened


def box(given: SecretStr | None, data_dir: Path) -> SecretBox:
    """The box for `given`, else for the key file of `data_dir`, made if it is missing."""
    return SecretBox(given if given is not None else _key_file(data_dir / KEY_FILE))


def _key_file(path: Path) -> SecretStr:
    if not path.exists():
        # Linked into place whole, so that no other process ever reads half a key.
        with tempfile.NamedTemporaryFile("w", dir=path.parent) as file, suppress(FileExistsError):
            file.write(Fernet.generate_key().decode() + "\n")
            file.flush()
            os.fsync(file.fileno())
            path.hardlink_to(file.name)
    return _read(path)


def _read(path: Path) -> SecretStr:
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise Conflict(f"{path} can be read by others; run: chmod 600 {path}")
    return SecretStr(path.read_text().strip())


def new_api_key() -> NewKey:
    """A fresh API key: `fst_<prefix>_<secret>`, 256 random bits."""
    prefix = secrets.token_hex(_API_PREFIX_BYTES)
    text = f"fst_{prefix}_{secrets.token_urlsafe(_API_SECRET_BYTES)}"
    return NewKey(SecretStr(text), prefix, hash_key(text))


def hash_key(text: str) -> str:
    """What is stored of an API key. Plain SHA-256: the key has 256 random bits to guess."""
    return hashlib.sha256(text.encode()).hexdigest()


def prefix_of(text: str) -> str | None:
    """The prefix by which a key's row is found; None for what is no key of ours."""
    head, _, rest = text.partition("_")
    prefix, _, secret = rest.partition("_")
    return prefix if head == "fst" and secret else None


def is_key(text: str, stored_hash: str) -> bool:
    """Whether `text` is the key of this hash, in constant time."""
    return hmac.compare_digest(hash_key(text), stored_hash)
