"""The API's description, generated from what the routes declare."""
