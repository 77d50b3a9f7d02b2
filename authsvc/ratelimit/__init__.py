"""How often something may be tried, and where attempts are counted."""
