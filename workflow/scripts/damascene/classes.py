"""Names of the classes of sites, in every table, file and figure."""

INCLUSION = "inclusion"
NOT_CLASSIFIED = "not_classified"
# The order is the index of the class in the output of the second network.
DAMAGE_CLASSES = ("notch", "shadowing", "interface", "martensite")
SITE_CLASSES = (INCLUSION, *DAMAGE_CLASSES)
SITE_LABELS = (*SITE_CLASSES, NOT_CLASSIFIED)
# The order is the index of the class in the output of the first network.
INCLUSION_CLASSES = (INCLUSION, "rest")
STAGE_CLASSES = {"inclusion": INCLUSION_CLASSES, "damage": DAMAGE_CLASSES}
#: Values of the pixels of a phase map.
PHASE_VALUES = {"outside": 0, "ferrite": 1, "martensite": 2, "damage": 3}
