"""Other people's extensions and blueprints beside ours."""
