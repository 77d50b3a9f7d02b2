"""The app for `authsvc serve` in a folder without a wsgi.py, as after an installation by wheel."""

from authsvc.server.boot import boot

app = boot()
