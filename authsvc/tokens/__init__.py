"""Issue and verify the two JWTs, without Flask and without a database."""
