"""Serve the app by granian, a server in Rust: a second choice beside gunicorn, for speed."""
