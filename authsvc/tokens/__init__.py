"""The two JWTs: issued and verified, without Flask and without a database."""
