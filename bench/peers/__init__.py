"""One file for each peer; none imports the others, so that each weighs what it weighs."""
