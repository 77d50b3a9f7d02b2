"""People's accounts and their passwords."""
