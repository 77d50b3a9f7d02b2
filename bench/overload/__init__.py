"""More requests than the service can serve, and what becomes of them."""
