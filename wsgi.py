"""The app that gunicorn serves: ``gunicorn --config python:authsvc.gunicorn wsgi:app``."""

from authsvc.server.boot import boot

app = boot()
