"""The raw frames that the engine is given: names, columns, dtypes and codes.

Whoever loads them (a store, a test, a file) delivers exactly these columns. Ids are the
loader's own 64-bit ints. Instants are UTC microseconds, days are calendar days, money is
an int in 1/10,000 of the currency's unit. Codes are positions in the tuples below; they
are stored, so a tuple only ever grows at its end.
"""

from dataclasses import dataclass

import polars as pl

SOURCES = ("unknown", "user", "workflow", "import", "api", "system", "observed")
FORECASTS = ("omitted", "pipeline", "best_case", "most_likely", "commit", "closed")
ROLES = ("early", "middle", "late", "parking", "closed")
ACTIVITY_KINDS = ("meeting", "call", "email", "task", "note")
DIRECTIONS = ("none", "inbound", "outbound")
SEGMENTS = ("new", "expansion", "renewal", "channel")

INSTANT = pl.Datetime("us", "UTC")

DEALS: dict[str, pl.DataType | type[pl.DataType]] = {
    "deal_id": pl.Int64,
    "pipeline_id": pl.Int64,
    "created_at": INSTANT,
    "created_by_id": pl.Int64,  # person, null: unknown
    "company_id": pl.Int64,  # null: none
    "segment": pl.Int8,  # SEGMENTS, null: new
    "lead_source": pl.String,
    "currency": pl.String,
    "first_seen_at": INSTANT,  # when Forestage first read the deal
    "deleted_at": INSTANT,  # null: stands
    # What the CRM says at the load's instant; a rule takes these from the ledger instead.
    "stage_id": pl.Int64,
    "owner_id": pl.Int64,
    "close_on": pl.Date,
    "amount": pl.Int64,
    "forecast": pl.Int8,
    "is_closed": pl.Boolean,
    "is_won": pl.Boolean,
}


def _changes(value: pl.DataType | type[pl.DataType]) -> dict[str, pl.DataType | type[pl.DataType]]:
    return {
        "change_id": pl.Int64,  # the ledger's own row id, ascending in the order of storing
        "deal_id": pl.Int64,
        "at": INSTANT,
        "seen_at": INSTANT,
        "old": value,  # null in a field's first row
        "new": value,
        "by_id": pl.Int64,  # person, null: unknown
        "source": pl.Int8,  # SOURCES
    }


STAGE_CHANGES = _changes(pl.Int64)
CLOSE_DATE_CHANGES = _changes(pl.Date)
AMOUNT_CHANGES = _changes(pl.Int64)
FORECAST_CHANGES = _changes(pl.Int8)
OWNER_CHANGES = _changes(pl.Int64)
PIPELINE_CHANGES = _changes(pl.Int64)

STAGES: dict[str, pl.DataType | type[pl.DataType]] = {
    "stage_id": pl.Int64,
    "pipeline_id": pl.Int64,
    "label": pl.String,
    "position": pl.Int64,  # 0 = first open stage; null: closed, parking or unknown
    "role": pl.Int8,  # ROLES, null: unknown
    "is_closed": pl.Boolean,
    "is_won": pl.Boolean,
    "valid_from": INSTANT,
    "valid_to": INSTANT,  # null: still valid; one stage has one row a period
}

PIPELINES: dict[str, pl.DataType | type[pl.DataType]] = {
    "pipeline_id": pl.Int64,
    "expected_entry": pl.Int64,  # position confirmed at setup, null: proposed from history
}

PEOPLE: dict[str, pl.DataType | type[pl.DataType]] = {
    "person_id": pl.Int64,
    "is_integration": pl.Boolean,
    "time_zone": pl.String,  # IANA name, null: the account's
}

MANAGEMENT: dict[str, pl.DataType | type[pl.DataType]] = {
    "person_id": pl.Int64,
    "manager_id": pl.Int64,
    "valid_from": INSTANT,
    "valid_to": INSTANT,  # null: still valid
}

ACTIVITIES: dict[str, pl.DataType | type[pl.DataType]] = {
    "activity_id": pl.Int64,
    "deal_id": pl.Int64,  # null: not logged on a deal
    "company_id": pl.Int64,
    "kind": pl.Int8,  # ACTIVITY_KINDS
    "at": INSTANT,
    "logged_at": INSTANT,
    "owner_id": pl.Int64,
    "direction": pl.Int8,  # DIRECTIONS
    "is_held": pl.Boolean,  # null: can't be told
    "is_two_way": pl.Boolean,  # null: unknown
}

ACTIVITY_CONTACTS: dict[str, pl.DataType | type[pl.DataType]] = {
    "activity_id": pl.Int64,
    "contact_id": pl.Int64,
}

CONTACT_ROLES: dict[str, pl.DataType | type[pl.DataType]] = {
    "deal_id": pl.Int64,
    "contact_id": pl.Int64,
    "valid_from": INSTANT,
    "valid_to": INSTANT,  # null: still valid
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """All raw frames of one connection, as one snapshot.

    `time_zone` is the account's IANA zone, `fiscal_start_month` 1-12. Tables of our own
    tasks hold nothing here: they feed no rule.
    """

    deals: pl.DataFrame
    stage_changes: pl.DataFrame
    close_date_changes: pl.DataFrame
    amount_changes: pl.DataFrame
    forecast_changes: pl.DataFrame
    owner_changes: pl.DataFrame
    pipeline_changes: pl.DataFrame
    stages: pl.DataFrame
    pipelines: pl.DataFrame
    people: pl.DataFrame
    management: pl.DataFrame
    activities: pl.DataFrame
    activity_contacts: pl.DataFrame
    contact_roles: pl.DataFrame
    time_zone: str = "UTC"
    fiscal_start_month: int = 1


SCHEMAS: dict[str, dict[str, pl.DataType | type[pl.DataType]]] = {
    "deals": DEALS,
    "stage_changes": STAGE_CHANGES,
    "close_date_changes": CLOSE_DATE_CHANGES,
    "amount_changes": AMOUNT_CHANGES,
    "forecast_changes": FORECAST_CHANGES,
    "owner_changes": OWNER_CHANGES,
    "pipeline_changes": PIPELINE_CHANGES,
    "stages": STAGES,
    "pipelines": PIPELINES,
    "people": PEOPLE,
    "management": MANAGEMENT,
    "activities": ACTIVITIES,
    "activity_contacts": ACTIVITY_CONTACTS,
    "contact_roles": CONTACT_ROLES,
}
