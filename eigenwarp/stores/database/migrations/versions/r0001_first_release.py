"""All tables of the first release."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Spelled out, and not taken from the present tables: a revision must stay what it was.
_number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_time = sa.DateTime(timezone=True)


def upgrade() -> None:
    """From nothing."""
    op.create_table(
        "api_keys",
        sa.Column("id", sa.String(length=12), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("secret_hash", sa.Text(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("created_at", _time, nullable=False),
        sa.Column("expires_at", _time, nullable=True),
        sa.Column("revoked_at", _time, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_api_keys"),
    )
    op.create_table(
        "audit",
        sa.Column("id", _number, autoincrement=True, nullable=False),
        sa.Column("at", _time, nullable=False),
        sa.Column("caller", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
    )
    op.create_index("ix_audit_target", "audit", ["target"], unique=False)
    op.create_table(
        "coefficients",
        sa.Column("id", _number, autoincrement=True, nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("job_id", sa.String(length=36), nullable=False),
        sa.Column("volume_id", sa.String(length=71), nullable=False),
        sa.Column("acquired_at", _time, nullable=True),
        sa.Column("recorded_at", _time, nullable=False),
        sa.Column("projection", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_coefficients"),
        sa.UniqueConstraint("job_id", name="uq_coefficients_job_id"),
    )
    op.create_index("ix_coefficients_subject", "coefficients", ["subject"], unique=False)
    op.create_index("ix_coefficients_volume_id", "coefficients", ["volume_id"], unique=False)
    op.create_table(
        "doomed_objects",
        sa.Column("id", _number, autoincrement=True, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("due_at", _time, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_doomed_objects"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_doomed_objects_due_at", "doomed_objects", ["due_at"], unique=False)
    op.create_index("ix_doomed_objects_key", "doomed_objects", ["key"], unique=False)
    op.create_table(
        "erasures",
        sa.Column("id", _number, autoincrement=True, nullable=False),
        sa.Column("at", _time, nullable=False),
        sa.Column("volumes", sa.Integer(), nullable=False),
        sa.Column("jobs", sa.Integer(), nullable=False),
        sa.Column("coefficients", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_erasures"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "jobs",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=True),
        sa.Column("caller", sa.Text(), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=True),
        sa.Column("idempotency_key", sa.Text(), nullable=True),
        sa.Column("request_hash", sa.Text(), nullable=True),
        sa.Column("attempt", sa.Integer(), server_default="0", nullable=False),
        sa.Column("token", sa.Integer(), server_default="0", nullable=False),
        sa.Column("lease_until", _time, nullable=True),
        sa.Column("cancel_requested", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("progress", sa.Text(), nullable=True),
        sa.Column("report", sa.Text(), nullable=True),
        sa.Column("projection", sa.Text(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("worker", sa.Text(), nullable=True),
        sa.Column("created_at", _time, nullable=False),
        sa.Column("enqueued_at", _time, nullable=True),
        sa.Column("started_at", _time, nullable=True),
        sa.Column("finished_at", _time, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_jobs"),
        sa.UniqueConstraint("caller", "idempotency_key", name="uq_jobs_caller_idempotency_key"),
    )
    op.create_index("ix_jobs_created_at_id", "jobs", ["created_at", "id"], unique=False)
    op.create_index("ix_jobs_state_created_at", "jobs", ["state", "created_at"], unique=False)
    op.create_index("ix_jobs_subject", "jobs", ["subject"], unique=False)
    op.create_table(
        "uploads",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=True),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("caller", sa.Text(), nullable=False),
        sa.Column("created_at", _time, nullable=False),
        sa.Column("expires_at", _time, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_uploads"),
    )
    op.create_index("ix_uploads_expires_at", "uploads", ["expires_at"], unique=False)
    op.create_index("ix_uploads_subject", "uploads", ["subject"], unique=False)
    op.create_table(
        "volumes",
        sa.Column("id", sa.String(length=71), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("row", sa.Text(), nullable=False),
        sa.Column("created_at", _time, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_volumes"),
    )
    op.create_table(
        "artefacts",
        sa.Column("job_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("content_type", sa.Text(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_artefacts_job_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("job_id", "name", name="pk_artefacts"),
    )
    op.create_table(
        "job_volumes",
        sa.Column("job_id", sa.String(length=36), nullable=False),
        sa.Column("volume_id", sa.String(length=71), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_job_volumes_job_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["volume_id"], ["volumes.id"], name="fk_job_volumes_volume_id"),
        sa.PrimaryKeyConstraint("job_id", "volume_id", name="pk_job_volumes"),
    )
    op.create_index("ix_job_volumes_volume_id", "job_volumes", ["volume_id"], unique=False)
    op.create_table(
        "volume_codes",
        sa.Column("volume_id", sa.String(length=71), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["volume_id"], ["volumes.id"], name="fk_volume_codes_volume_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("volume_id", "key", name="pk_volume_codes"),
    )
    op.create_table(
        "volume_subjects",
        sa.Column("volume_id", sa.String(length=71), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("acquired_at", _time, nullable=True),
        sa.Column("linked_at", _time, nullable=False),
        sa.ForeignKeyConstraint(["volume_id"], ["volumes.id"], name="fk_volume_subjects_volume_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("volume_id", "subject", name="pk_volume_subjects"),
    )
    op.create_index("ix_volume_subjects_subject", "volume_subjects", ["subject"], unique=False)


def downgrade() -> None:
    """To nothing: all is lost."""
    op.drop_table("volume_subjects")
    op.drop_table("volume_codes")
    op.drop_table("job_volumes")
    op.drop_table("artefacts")
    op.drop_table("volumes")
    op.drop_table("uploads")
    op.drop_table("jobs")
    op.drop_table("erasures")
    op.drop_table("doomed_objects")
    op.drop_table("coefficients")
    op.drop_table("audit")
    op.drop_table("api_keys")
