"""The audit trail: what happened to whose account, when, from where, and by whom."""
