"""What people said about sites: read, tied to candidates, dealt into folds."""
