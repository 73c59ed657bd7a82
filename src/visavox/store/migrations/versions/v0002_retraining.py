"""Retraining runs, their progress, A/B trials, labels and receipts of erasures."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("captures", sa.Column("characterizer", sa.String(length=80), nullable=True))
    op.add_column(
        "captures",
        sa.Column("source", sa.String(length=16), server_default="enrolment", nullable=False),
    )
    op.add_column("decisions", sa.Column("judged", sa.JSON(), nullable=True))
    op.create_index(op.f("ix_audit_subject"), "audit", ["subject"])
    op.add_column(
        "retraining", sa.Column("attempts", sa.Integer(), server_default="0", nullable=False)
    )
    op.add_column("retraining", sa.Column("run", sa.String(length=64), nullable=True))
    op.add_column("retraining", sa.Column("error", sa.Text(), nullable=True))
    op.create_table(
        "runs",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("flow", sa.String(length=16), nullable=False),
        sa.Column("fridges", sa.JSON(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("step", sa.String(length=40), nullable=False),
        sa.Column("metaflow", sa.String(length=120), nullable=True),
        sa.Column("data_version", sa.String(length=80), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_runs")),
    )
    op.create_index(op.f("ix_runs_state"), "runs", ["state"])
    op.create_table(
        "progress",
        sa.Column("seq", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("run", sa.String(length=64), nullable=False),
        sa.Column("fridge", sa.String(length=64), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("step", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_progress")),
    )
    op.create_index(op.f("ix_progress_run_seq"), "progress", ["run", "seq"])
    op.create_index(op.f("ix_progress_fridge_seq"), "progress", ["fridge", "seq"])
    op.create_table(
        "trials",
        sa.Column("decision", sa.String(length=64), nullable=False),
        sa.Column("fridge", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("mode", sa.String(length=16), nullable=False),
        sa.Column("arm", sa.String(length=16), nullable=False),
        sa.Column("champion", sa.String(length=80), nullable=False),
        sa.Column("challenger", sa.String(length=80), nullable=False),
        sa.Column("answers", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("decision", name=op.f("pk_trials")),
    )
    op.create_index(
        op.f("ix_trials_fridge_challenger_decision"), "trials", ["fridge", "challenger", "decision"]
    )
    op.create_table(
        "labels",
        sa.Column("decision", sa.String(length=64), nullable=False),
        sa.Column("fridge", sa.String(length=64), nullable=False),
        sa.Column("member", sa.String(length=64), nullable=True),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("by", sa.String(length=80), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("decision", name=op.f("pk_labels")),
    )
    op.create_index(op.f("ix_labels_fridge_decision"), "labels", ["fridge", "decision"])
    op.create_table(
        "receipts",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("fridge", sa.String(length=64), nullable=False),
        sa.Column("member", sa.String(length=64), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("removed", sa.JSON(), nullable=False),
        sa.Column("probe_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("document", sa.Text(), nullable=True),
        sa.Column("signature", sa.String(length=100), nullable=True),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipts")),
    )
    op.create_index(op.f("ix_receipts_fridge_member"), "receipts", ["fridge", "member"])


def downgrade() -> None:
    for table in ["receipts", "labels", "trials", "progress", "runs"]:
        op.drop_table(table)
    op.drop_index(op.f("ix_audit_subject"), "audit")
    for table, column in [
        ("decisions", "judged"),
        ("retraining", "error"),
        ("retraining", "run"),
        ("retraining", "attempts"),
        ("captures", "source"),
        ("captures", "characterizer"),
    ]:
        op.drop_column(table, column)
