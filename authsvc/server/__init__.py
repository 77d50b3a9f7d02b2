"""Run the app: gunicorn's worker, and the checks before the first request."""
