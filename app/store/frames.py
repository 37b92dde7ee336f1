"""The store's tables as the frames that the rules work on: one snapshot, one connection.

SQLite tells no null text from its first rows, so text comes with '' for null and is turned
back here; whole numbers become instants and days by a cast that copies nothing.
"""

import polars as pl

from app.errors import NotFound
from app.store.database import Database
from rules.tables import SCHEMAS, Tables

_CHANGE = 'id AS change_id, deal_id, "at", seen_at, "old", "new", by_id, source'

_QUERIES = {
    "deals": """
        SELECT id AS deal_id, crm_id, pipeline_id, created_at, created_by_id, company_id, segment,
               coalesce(lead_source, '') AS lead_source, coalesce(currency, '') AS currency,
               first_seen_at, deleted_at, stage_id, owner_id, close_on, amount, forecast,
               is_closed, is_won
        FROM deals WHERE connection_id = {id}""",
    **{
        name: f"SELECT {_CHANGE} FROM {name} WHERE connection_id = {{id}}"
        for name in SCHEMAS
        if name.endswith("_changes")
    },
    "stages": """
        SELECT s.id AS stage_id, s.pipeline_id, s.label, p.position, p.role, s.is_closed,
               s.is_won, p.valid_from, p.valid_to
        FROM stage_periods p JOIN stages s ON s.id = p.stage_id WHERE p.connection_id = {id}""",
    "pipelines": """
        SELECT id AS pipeline_id, expected_entry FROM pipelines WHERE connection_id = {id}""",
    "people": """
        SELECT id AS person_id, is_integration, coalesce(time_zone, '') AS time_zone
        FROM people WHERE connection_id = {id}""",
    "management": """
        SELECT person_id, manager_id, valid_from, valid_to
        FROM management_periods WHERE connection_id = {id}""",
    "companies": "SELECT id AS company_id, crm_id FROM companies WHERE connection_id = {id}",
    # Our own tasks (they have a key) and deleted rows feed no rule.
    "activities": """
        SELECT id AS activity_id, coalesce(deal_crm_id, '') AS deal_crm_id,
               coalesce(company_crm_id, '') AS company_crm_id, kind, "at", logged_at, owner_id,
               direction, is_held, is_two_way
        FROM activities WHERE connection_id = {id} AND "key" IS NULL AND deleted_at IS NULL""",
    "activity_contacts": """
        SELECT l.activity_id, l.contact_id
        FROM activity_contacts l
        JOIN activities a ON a.connection_id = l.connection_id AND a.id = l.activity_id
        WHERE l.connection_id = {id} AND a."key" IS NULL AND a.deleted_at IS NULL""",
    "contact_roles": """
        SELECT deal_crm_id, contact_id, valid_from, valid_to
        FROM contact_roles WHERE connection_id = {id}""",
    "connections": """
        SELECT time_zone, fiscal_start_month FROM connections WHERE id = {id}""",
}

_CRM_IDS = pl.col("^.*crm_id$").cast(pl.String)


def load_tables(db: Database, connection_id: int) -> Tables:
    """All raw frames of a connection at one instant, with exactly the columns of SCHEMAS."""
    with db.snapshot() as snapshot:
        raw = snapshot.frames(
            {name: query.format(id=int(connection_id)) for name, query in _QUERIES.items()}
        )
    # A column without rows comes as a number, whatever it holds.
    raw = {name: frame.with_columns(_CRM_IDS) for name, frame in raw.items()}
    if raw["connections"].is_empty():
        raise NotFound(f"there is no connection with the id {connection_id}")
    deal_ids = raw["deals"].select(deal_crm_id="crm_id", deal_id="deal_id")
    company_ids = raw["companies"].select(company_crm_id="crm_id", company_id="company_id")
    raw["activities"] = (
        raw["activities"]
        .join(deal_ids, on="deal_crm_id", how="left", maintain_order="left")
        .join(company_ids, on="company_crm_id", how="left", maintain_order="left")
    )
    raw["contact_roles"] = raw["contact_roles"].join(deal_ids, on="deal_crm_id")
    time_zone, fiscal_start_month = raw["connections"].row(0)
    return Tables(
        **{name: _typed(raw[name], name) for name in SCHEMAS},
        time_zone=time_zone,
        fiscal_start_month=fiscal_start_month,
    )


def _typed(frame: pl.DataFrame, name: str) -> pl.DataFrame:
    return frame.select(_column(column, dtype) for column, dtype in SCHEMAS[name].items())


def _column(name: str, dtype: pl.DataType | type[pl.DataType]) -> pl.Expr:
    column = pl.col(name)
    if dtype == pl.String:
        text = column.cast(pl.String)
        return pl.when(text != "").then(text).alias(name)
    if dtype == pl.Date:
        return column.cast(pl.Int32).cast(pl.Date)
    return column.cast(dtype)
