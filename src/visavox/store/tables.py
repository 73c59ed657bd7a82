"""The tables. What is `…sealed` or `LargeBinary` here is ciphertext; see `vault`."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

ID = String(64)

metadata = MetaData(
    # Named, so that a migration can change them on both databases.
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Moment(TypeDecorator[datetime]):
    """A moment in UTC. SQLite forgets the time zone, so both databases are given UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(
        self,
        value: datetime | None,
        dialect: Dialect,  # noqa: ARG002
    ) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without its time zone")
        return value.astimezone(UTC)

    def process_result_value(
        self,
        value: datetime | None,
        dialect: Dialect,  # noqa: ARG002
    ) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _required(name: str, kind: Any, **more: Any) -> Column[Any]:
    return Column(name, kind, nullable=False, **more)


master = Table(
    "master",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),  # one row: 1
    _required("current", String(32)),  # the id of the master key that new data keys are wrapped by
    _required("changed_at", Moment),
)

data_keys = Table(
    "data_keys",
    metadata,
    Column("id", String(32), primary_key=True),
    _required("owner", String(130), unique=True),  # as `vault.Owner` writes it
    _required("master", String(32), index=True),
    _required("wrapped", LargeBinary),
)

fridges = Table(
    "fridges",
    metadata,
    Column("id", ID, primary_key=True),
    _required("name", Text),
    _required("risk", String(16)),
    _required("locale", String(16)),
    _required("created_at", Moment),
    _required("version", Integer),
    _required("revision", Integer),
)

compartments = Table(
    "compartments",
    metadata,
    Column("fridge", ForeignKey("fridges.id"), primary_key=True),
    Column("id", ID, primary_key=True),
    _required("name", Text),
    _required("created_at", Moment),
    _required("version", Integer),
)

members = Table(
    "members",
    metadata,
    Column("fridge", ForeignKey("fridges.id"), primary_key=True),
    Column("id", ID, primary_key=True),
    _required("number", String(12)),
    _required("name_sealed", LargeBinary),
    Column("pin_sealed", LargeBinary),
    _required("locale", String(16)),
    _required("consent_at", Moment),
    _required("created_at", Moment),
    _required("version", Integer),
    UniqueConstraint("fridge", "number"),
)

captures = Table(
    "captures",
    metadata,
    Column("id", ID, primary_key=True),
    _required("fridge", ID),
    _required("member", ID),
    _required("created_at", Moment),
    _required("modalities", JSON),
    _required("sha256", String(64)),
    _required("blob", JSON),
    _required("embeddings_sealed", LargeBinary),
    Column(
        "characterizer", String(80)
    ),  # digest of what they were embedded by; older rows: unknown
    _required("source", String(16), server_default="enrolment"),  # or "confirmed": a probe, by hand
    ForeignKeyConstraint(["fridge", "member"], ["members.fridge", "members.id"]),
    Index(None, "fridge", "member"),
)

grants = Table(
    "grants",
    metadata,
    Column("fridge", ID, primary_key=True),
    Column("member", ID, primary_key=True),
    Column("compartment", ID, primary_key=True),
    _required("created_at", Moment),
    ForeignKeyConstraint(["fridge", "member"], ["members.fridge", "members.id"]),
    ForeignKeyConstraint(["fridge", "compartment"], ["compartments.fridge", "compartments.id"]),
    Index(None, "fridge", "compartment"),
)

keys = Table(
    "keys",
    metadata,
    Column("id", ID, primary_key=True),
    _required("name", Text),
    _required("role", String(16)),
    Column("fridges", JSON(none_as_null=True)),
    _required("digest", String(128)),
    _required("created_at", Moment),
    Column("expires_at", Moment),
    Column("revoked_at", Moment),
)

challenges = Table(
    "challenges",
    metadata,
    Column("id", ID, primary_key=True),
    _required("fridge", ID),
    _required("kiosk", ID),
    _required("digits", String(16)),
    _required("created_at", Moment),
    _required("expires_at", Moment, index=True),
    Column("used_at", Moment),
)

attempts = Table(
    "attempts",
    metadata,
    Column("scope", String(80), primary_key=True),
    _required("consecutive", Integer),
    _required("locks", Integer),
    Column("locked_until", Moment),
    _required("capped", Boolean),
)

decisions = Table(
    "decisions",
    metadata,
    Column("id", ID, primary_key=True),
    # Not bound to rows of these: a decision outlives its fridge, kiosk and member.
    _required("fridge", ID),
    _required("kiosk", ID),
    _required("at", Moment, index=True),
    _required("method", String(16)),
    _required("outcome", String(16)),
    Column("member", ID),
    _required("compartments", JSON),
    _required("reasons", JSON),
    _required("next_step", Text),
    _required("candidates", JSON),
    Column("threshold", Float),
    _required("rejected", JSON),
    _required("provisional", Boolean),
    Column("characterizer", String(80)),
    Column("bundle", String(80)),
    Column("base", String(80)),
    Column("challenge", ID),
    _required("request_id", String(64)),
    Column("expires_at", Moment),
    Column("judged", JSON(none_as_null=True)),  # by what exactly; see `service.composition`
    Column("probe_sealed", LargeBinary),
    Index(None, "fridge", "id"),
    Index(None, "fridge", "member", "id"),
)

events = Table(
    "events",
    metadata,
    Column("id", ID, primary_key=True),
    _required("at", Moment, index=True),
    _required("fridge", ID),
    Column("kiosk", ID),
    _required("kind", String(64)),
    _required("detail", JSON),
    Index(None, "fridge", "id"),
)

audit = Table(
    "audit",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    _required("at", Moment),
    _required("actor", String(80)),
    _required("action", String(80)),
    _required("subject", String(200), index=True),
    _required("detail", Text),  # canonical JSON, kept as it was digested
    _required("previous", String(64)),
    _required("digest", String(64)),
)

audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),  # one row: 1
    _required("seq", Integer),
    _required("digest", String(64)),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("key", ID, primary_key=True),  # the API key's id
    Column("token", String(255), primary_key=True),
    _required("fingerprint", String(64)),
    _required("started_at", Moment),
    _required("expires_at", Moment, index=True),
    Column("status", Integer),
    Column("answer_sealed", LargeBinary),
)

retraining = Table(
    "retraining",
    metadata,
    Column("id", ID, primary_key=True),
    _required("fridge", ID),
    _required("reason", String(80)),
    _required("created_at", Moment),
    Column("claimed_at", Moment),
    Column("done_at", Moment),
    _required("attempts", Integer, server_default="0"),  # how often it was claimed
    Column("run", ID),  # of `runs`: the latest that took it on
    Column("error", Text),  # why that one did not finish it
    Index(None, "fridge", "id"),
)

runs = Table(
    "runs",
    metadata,
    Column("id", ID, primary_key=True),
    _required("flow", String(16)),  # retrain, characterize or watch
    _required("fridges", JSON),
    _required("reason", Text),
    _required("state", String(16), index=True),  # running, done, failed or given_up
    _required("step", String(40)),
    Column("metaflow", String(120)),  # "RetrainFlow/1712": its own name of the run
    Column("data_version", String(80)),
    _required("started_at", Moment),
    _required("updated_at", Moment),
    Column("ended_at", Moment),
    Column("error", Text),
    _required("detail", JSON),
)

progress = Table(
    "progress",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    _required("run", ID),
    Column("fridge", ID),  # None: it concerns the whole run
    _required("at", Moment),
    _required("step", String(40)),
    _required("state", String(16)),  # begun, done, failed or skipped
    _required("detail", JSON),
    Index(None, "run", "seq"),
    Index(None, "fridge", "seq"),
)

trials = Table(
    # One request, scored by both models of an A/B comparison.
    "trials",
    metadata,
    Column("decision", ID, primary_key=True),
    _required("fridge", ID),
    _required("at", Moment),
    _required("mode", String(16)),  # shadow or split
    _required("arm", String(16)),  # whose answer was given: champion or challenger
    _required("champion", String(80)),
    _required("challenger", String(80)),
    _required("answers", JSON),  # {"champion": {outcome, member, llr, threshold}, "challenger": …}
    Index(None, "fridge", "challenger", "decision"),
)

labels = Table(
    # What really stood at the kiosk, from somebody who knows.
    "labels",
    metadata,
    Column("decision", ID, primary_key=True),
    _required("fridge", ID),
    Column("member", ID),  # None: nobody who is a member
    _required("source", String(16)),  # admin or pin
    _required("by", String(80)),
    _required("at", Moment),
    Index(None, "fridge", "decision"),
)

receipts = Table(
    # Erasures: what was removed where, and the proof that the fridge forgot.
    "receipts",
    metadata,
    Column("id", ID, primary_key=True),
    _required("fridge", ID),
    _required("member", ID),
    _required("requested_at", Moment),
    _required("state", String(16)),  # pending or complete
    _required("removed", JSON),  # what the erasure itself removed, with hashes
    Column("probe_sealed", LargeBinary),  # their last probe, until the proof is made
    Column("document", Text),  # canonical JSON, as it was signed
    Column("signature", String(100)),  # base64url
    Column("completed_at", Moment),
    Index(None, "fridge", "member"),
)
