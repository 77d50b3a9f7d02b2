"""The service, with a user's own protected route that answers what bench/bare.py answers."""

from authsvc import create_app
from bench.bare import things

app = create_app()
app.add_url_rule("/api/things", view_func=things)
