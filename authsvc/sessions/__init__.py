"""Sessions: open, refresh, list, revoke and purge them."""
