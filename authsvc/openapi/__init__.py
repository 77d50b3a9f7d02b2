"""The API's description, made from what the routes declare."""
