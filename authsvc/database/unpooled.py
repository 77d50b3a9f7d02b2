"""An engine for commands and checks: each connection is opened for one use and then closed."""

from sqlalchemy import Engine, NullPool, create_engine

from authsvc.database import engine_options, prepare_engine


def unpooled_engine(url: str) -> Engine:
    """Return an engine that connects as the service does, and keeps no connection open.

    Args:
        url: ``sqlite:///`` with a file, or ``postgresql+psycopg://``.
    """
    engine = create_engine(
        url,
        connect_args=engine_options(url)["connect_args"],
        hide_parameters=True,
        poolclass=NullPool,
    )
    prepare_engine(engine)
    return engine
