"""Deals, their stages, companies, activities and contacts."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_21_deals"
down_revision = "2026_11_21_first"
branch_labels = None
depends_on = None


def upgrade() -> None:
    companies()
    contacts()
    pipelines()
    activities()
    contact_roles()
    stages()
    activity_contacts()
    deals()
    stage_periods()


def downgrade() -> None:
    for table in (
        "stage_periods",
        "deals",
        "activity_contacts",
        "stages",
        "contact_roles",
        "activities",
        "pipelines",
        "contacts",
        "companies",
    ):
        op.drop_table(table)


def companies() -> None:
    op.create_table("companies",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("connection_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("crm_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"], name="fk_companies_connection_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_companies"),
        sa.UniqueConstraint("connection_id", "crm_id", name="uq_companies_connection_id_crm_id"),
        sa.UniqueConstraint("connection_id", "id", name="uq_companies_connection_id_id")
    )


def contacts() -> None:
    op.create_table("contacts",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("connection_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("crm_id", sa.String(length=64), nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"], name="fk_contacts_connection_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_contacts"),
        sa.UniqueConstraint("connection_id", "crm_id", name="uq_contacts_connection_id_crm_id"),
        sa.UniqueConstraint("connection_id", "id", name="uq_contacts_connection_id_id")
    )


def pipelines() -> None:
    op.create_table("pipelines",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("connection_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("crm_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("expected_entry", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"], name="fk_pipelines_connection_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_pipelines"),
        sa.UniqueConstraint("connection_id", "crm_id", name="uq_pipelines_connection_id_crm_id"),
        sa.UniqueConstraint("connection_id", "id", name="uq_pipelines_connection_id_id")
    )


def activities() -> None:
    op.create_table("activities",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("connection_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("crm_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("deal_crm_id", sa.String(length=64), nullable=True),
        sa.Column("company_crm_id", sa.String(length=64), nullable=True),
        sa.Column("owner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("logged_at", sa.BigInteger(), nullable=False),
        sa.Column("direction", sa.SmallInteger(), nullable=False),
        sa.Column("is_held", sa.Boolean(), nullable=True),
        sa.Column("is_two_way", sa.Boolean(), nullable=True),
        sa.Column("minutes", sa.Integer(), nullable=True),
        sa.Column("key", sa.String(length=64), nullable=True),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["connection_id", "owner_id"], ["people.connection_id", "people.id"], name="fk_activities_connection_id_owner_id"),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"], name="fk_activities_connection_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_activities"),
        sa.UniqueConstraint("connection_id", "crm_id", name="uq_activities_connection_id_crm_id"),
        sa.UniqueConstraint("connection_id", "id", name="uq_activities_connection_id_id")
    )
    op.create_index("ix_activities_deal", "activities", ["connection_id", "deal_crm_id"], unique=False)


def contact_roles() -> None:
    op.create_table("contact_roles",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("connection_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("crm_id", sa.String(length=64), nullable=False),
        sa.Column("deal_crm_id", sa.String(length=64), nullable=False),
        sa.Column("contact_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("role", sa.String(length=255), nullable=True),
        sa.Column("is_primary", sa.Boolean(), nullable=False),
        sa.Column("valid_from", sa.BigInteger(), nullable=False),
        sa.Column("valid_to", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["connection_id", "contact_id"], ["contacts.connection_id", "contacts.id"], name="fk_contact_roles_connection_id_contact_id"),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"], name="fk_contact_roles_connection_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_contact_roles"),
        sa.UniqueConstraint("connection_id", "crm_id", "valid_from", name="uq_contact_roles_connection_id_crm_id_valid_from")
    )
    op.create_index("ix_contact_roles_contact", "contact_roles", ["connection_id", "contact_id"], unique=False)


def stages() -> None:
    op.create_table("stages",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("connection_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("pipeline_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("crm_id", sa.String(length=255), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("sort_order", sa.Integer(), nullable=True),
        sa.Column("is_closed", sa.Boolean(), nullable=False),
        sa.Column("is_won", sa.Boolean(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("probability", sa.Float(), nullable=True),
        sa.Column("forecast", sa.SmallInteger(), nullable=True),
        sa.ForeignKeyConstraint(["connection_id", "pipeline_id"], ["pipelines.connection_id", "pipelines.id"], name="fk_stages_connection_id_pipeline_id"),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"], name="fk_stages_connection_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_stages"),
        sa.UniqueConstraint("connection_id", "id", name="uq_stages_connection_id_id"),
        sa.UniqueConstraint("connection_id", "pipeline_id", "crm_id", name="uq_stages_connection_id_pipeline_id_crm_id")
    )


def activity_contacts() -> None:
    op.create_table("activity_contacts",
        sa.Column("connection_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("activity_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("contact_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["connection_id", "activity_id"], ["activities.connection_id", "activities.id"], name="fk_activity_contacts_connection_id_activity_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["connection_id", "contact_id"], ["contacts.connection_id", "contacts.id"], name="fk_activity_contacts_connection_id_contact_id"),
        sa.PrimaryKeyConstraint("connection_id", "activity_id", "contact_id", name="pk_activity_contacts")
    )


def deals() -> None:
    op.create_table("deals",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("connection_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("crm_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("pipeline_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("stage_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("company_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("owner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("modified_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(length=8), nullable=True),
        sa.Column("close_on", sa.Integer(), nullable=True),
        sa.Column("deal_type", sa.String(length=255), nullable=True),
        sa.Column("lead_source", sa.String(length=255), nullable=True),
        sa.Column("segment", sa.SmallInteger(), nullable=True),
        sa.Column("next_step", sa.Text(), nullable=True),
        sa.Column("forecast", sa.SmallInteger(), nullable=True),
        sa.Column("is_closed", sa.Boolean(), nullable=False),
        sa.Column("is_won", sa.Boolean(), nullable=False),
        sa.Column("is_private", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("modified_at", sa.BigInteger(), nullable=False),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
        sa.Column("first_seen_at", sa.BigInteger(), nullable=False),
        sa.Column("generation", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("scored_generation", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("reconciled_generation", sa.BigInteger(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["connection_id", "company_id"], ["companies.connection_id", "companies.id"], name="fk_deals_connection_id_company_id"),
        sa.ForeignKeyConstraint(["connection_id", "created_by_id"], ["people.connection_id", "people.id"], name="fk_deals_connection_id_created_by_id"),
        sa.ForeignKeyConstraint(["connection_id", "modified_by_id"], ["people.connection_id", "people.id"], name="fk_deals_connection_id_modified_by_id"),
        sa.ForeignKeyConstraint(["connection_id", "owner_id"], ["people.connection_id", "people.id"], name="fk_deals_connection_id_owner_id"),
        sa.ForeignKeyConstraint(["connection_id", "pipeline_id"], ["pipelines.connection_id", "pipelines.id"], name="fk_deals_connection_id_pipeline_id"),
        sa.ForeignKeyConstraint(["connection_id", "stage_id"], ["stages.connection_id", "stages.id"], name="fk_deals_connection_id_stage_id"),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"], name="fk_deals_connection_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_deals"),
        sa.UniqueConstraint("connection_id", "crm_id", name="uq_deals_connection_id_crm_id"),
        sa.UniqueConstraint("connection_id", "id", name="uq_deals_connection_id_id")
    )
    op.create_index("ix_deals_company", "deals", ["connection_id", "company_id"], unique=False)


def stage_periods() -> None:
    op.create_table("stage_periods",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("connection_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("stage_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("position", sa.Integer(), nullable=True),
        sa.Column("role", sa.SmallInteger(), nullable=True),
        sa.Column("basis", sa.String(length=16), nullable=False),
        sa.Column("valid_from", sa.BigInteger(), nullable=False),
        sa.Column("valid_to", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["connection_id", "stage_id"], ["stages.connection_id", "stages.id"], name="fk_stage_periods_connection_id_stage_id"),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"], name="fk_stage_periods_connection_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_stage_periods"),
        sa.UniqueConstraint("connection_id", "stage_id", "valid_from", name="uq_stage_periods_connection_id_stage_id_valid_from")
    )
