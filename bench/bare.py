"""The ceiling: a bare Flask app whose one route answers the same JSON, with no auth at all."""

from flask import Flask

app = Flask(__name__, static_folder=None)
ANSWER = {"id": "01a20e05-6207-77f1-b8b6-33fa6213bd72", "name": "Alice", "items": [1, 2, 3]}


@app.get("/api/things")
def things() -> dict[str, object]:
    return ANSWER
