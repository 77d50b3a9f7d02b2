"""What tables are defined with: the base of our models, an operator's `db`, and times in UTC."""

from datetime import UTC, datetime

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import DateTime, Dialect, MetaData, Table
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator

from authsvc.database.own_tables import ContextSession


class Base(DeclarativeBase):
    """The base of every table's class."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


db = SQLAlchemy(metadata=Base.metadata, session_options={"class_": ContextSession})


def our_tables() -> list[Table]:
    """Return the tables of the models that are imported, without an operator's.

    A table comes after those that it refers to.
    """
    ours = {
        mapper.local_table
        for mapper in Base.registry.mappers
        if mapper.class_.__module__.startswith("authsvc.")
    }
    return [table for table in Base.metadata.sorted_tables if table in ours]


class UTCDateTime(TypeDecorator[datetime]):
    """An aware time in UTC on both databases. SQLite's driver returns naive ones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time must have a time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
