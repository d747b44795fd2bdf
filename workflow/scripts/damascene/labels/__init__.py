"""Labels of people: read, tied to candidates, divided into folds."""
