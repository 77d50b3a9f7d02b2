"""Second factors and passkeys: enrol them, list them, use them once, and remove them."""
