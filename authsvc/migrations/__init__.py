"""The migrations: the schema's history, one file for each revision."""
