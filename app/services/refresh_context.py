"""What all parts of one refresh share: the connection, the ids, the instant, the counts."""

from dataclasses import dataclass, field

from app.services.refresh_ids import EPOCH, Ids
from app.store.merge import Merged


@dataclass(slots=True)
class Tally:
    """What a refresh has done so far."""

    read: int = 0
    inserted: int = 0
    updated: int = 0
    changes: int = 0
    warnings: dict[str, None] = field(default_factory=dict)  # in order, each once

    def add(self, merged: Merged) -> None:
        """Count what a merge wrote."""
        self.inserted += len(merged.inserted)
        self.updated += len(merged.updated)

    def warn(self, text: str) -> None:
        """Keep a warning for the report."""
        self.warnings[text] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """One refresh of one connection. `seen_at`: the CRM's clock at its start, in micros;
    `programs`: users (crm_id) of whom an admin confirmed that they are no people.
    """

    connection_id: int
    ids: Ids
    seen_at: int
    is_first: bool
    programs: frozenset[str]
    tally: Tally

    @property
    def since(self) -> int:
        """From when a fact counts that is first seen now: before the first complete sync it
        is assumed to have been so always.
        """
        return EPOCH if self.is_first else self.seen_at
