"""Labels of people: read, tied to candidates, divided into folds."""

#: A position set by hand is this far off at most.
LABEL_TOLERANCE = "0.4 um"
#: Training, validation and test: each needs labels of every class, in groups of its own.
ROLES = 3
#: What to do where sites of a class are all too near to those that are held out.
APART = "Label more sites in other places, a window or more away from other labels."
