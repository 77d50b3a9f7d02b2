"""Why this code refuses a database."""


class DatabaseUnfit(Exception):
    """This code cannot work with the database. The message says why and what to do."""
