"""Sessions: what one refresh token opens, and what ends it."""
