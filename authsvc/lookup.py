"""One row by its key, on the hottest way: compiled once, and run by the database's own driver."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

from sqlalchemy import Dialect, Engine, PoolProxiedConnection, Select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import TypeEngine

from authsvc.database import db

R = TypeVar("R", bound=NamedTuple)


class Lookup(Generic[R]):
    """A SELECT of one row at most.

    SQLAlchemy still writes the SQL, keeps the connections and converts the values; what it does
    around each execution is left out, which costs three times what the look-up itself does.

    Args:
        query: its values are given by ``bindparam()``.
        row: what a row becomes; its fields are the query's columns, in their order.
    """

    def __init__(self, query: Select[*tuple[Any, ...]], row: type[R]) -> None:
        self._query = query
        self._row = row
        self._compiled: dict[str, _Compiled] = {}

    def one_or_none(self, **values: Any) -> R | None:
        """The row, if there is one.

        Raises:
            SQLAlchemyError: as SQLAlchemy itself would raise it.
        """
        engine = db.engine
        compiled = self._compiled.get(engine.name)
        if compiled is None:
            compiled = self._compiled[engine.name] = _compiled(self._query, engine.dialect)
        found = _fetch(engine, compiled, values)
        if found is None:
            return None
        read = zip(compiled.read, found, strict=True)
        return self._row._make(
            [value if reader is None else reader(value) for reader, value in read]
        )


Converter = Callable[[Any], Any]


@dataclass(frozen=True)
class _Compiled:
    """A query for one kind of database: its text, and how values are written and read."""

    text: str
    positions: list[str] | None
    constants: dict[str, Any]
    write: dict[str, Converter]
    read: list[Converter | None]

    def parameters(self, values: dict[str, Any]) -> Any:
        written = {name: self.write[name](value) for name, value in values.items()}
        written |= self.constants
        return written if self.positions is None else [written[name] for name in self.positions]


def _compiled(query: Select[*tuple[Any, ...]], dialect: Dialect) -> _Compiled:
    compiled = query.compile(dialect=dialect)
    return _Compiled(
        text=str(compiled),
        positions=compiled.positiontup,
        constants={
            name: parameter.value
            for name, parameter in compiled.binds.items()
            if not parameter.required
        },
        write={
            name: _type(parameter.type, dialect).bind_processor(dialect) or _as_it_is
            for name, parameter in compiled.binds.items()
        },
        read=[
            _type(column.type, dialect).result_processor(dialect, None)
            for column in query.selected_columns
        ],
    )


def _type(declared: TypeEngine[Any], dialect: Dialect) -> TypeEngine[Any]:
    return declared.dialect_impl(dialect)


def _as_it_is(value: Any) -> Any:
    return value


def _fetch(engine: Engine, compiled: _Compiled, values: dict[str, Any]) -> Any:
    connection: PoolProxiedConnection | None = None
    try:
        connection = engine.raw_connection()
        driver: Any = connection.driver_connection
        return driver.execute(compiled.text, compiled.parameters(values)).fetchone()
    except engine.dialect.loaded_dbapi.Error as error:
        raise _as_told_by_sqlalchemy(error, engine.dialect, connection) from error
    finally:
        if connection is not None:
            connection.close()


def _as_told_by_sqlalchemy(
    error: Exception, dialect: Dialect, connection: PoolProxiedConnection | None
) -> BaseException:
    lost = dialect.is_disconnect(error, connection, None)  # type: ignore[arg-type]
    if lost and connection is not None:
        connection.invalidate(error)
    return DBAPIError.instance(
        None,
        None,
        error,
        dialect.loaded_dbapi.Error,
        hide_parameters=True,
        connection_invalidated=lost,
        dialect=dialect,
    )
