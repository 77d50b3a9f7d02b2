"""The audit trail: what happened to an account, when, from where, and who did it."""
