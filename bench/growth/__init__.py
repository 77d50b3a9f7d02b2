"""What a session costs when the table has many."""
