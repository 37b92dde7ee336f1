"""Who keeps a connection's secret, where using it changes it (refresh tokens that rotate)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

Secret = Mapping[str, str]


class SecretKeeper(Protocol):
    """Keeps the secret of one connection."""

    def exchange(self, renew: Callable[[Secret], Secret]) -> None:
        """Give the kept secret to `renew` and keep what it returns before this returns. Nobody
        else, in whatever process, does so meanwhile. Where `renew` raises, the secret stays.
        """
        ...


@dataclass(slots=True)
class Unshared:
    """A secret that nobody else uses; `secret` is the newest."""

    secret: Secret = field(repr=False)

    def exchange(self, renew: Callable[[Secret], Secret]) -> None:
        """See `SecretKeeper`."""
        self.secret = renew(self.secret)
