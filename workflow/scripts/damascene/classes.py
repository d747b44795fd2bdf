"""The classes of sites: one table, from which every list, colour and marker follows.

A new class is a row of `CLASSES`, with its place in the output of its network. This module imports
nothing, as every job reads it.
"""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class SiteClass:
    """What holds for one class.

    Attributes
    ----------
    name : str
        In every table, file and figure.
    stage : str or None
        Network that names it: `inclusion` or `damage`. None for sites that neither is sure of.
    output : int or None
        Index in the output of that network.
    from_deformation : bool
        Whether deformation makes it. An inclusion comes with the steel, shadowing from the imaging.
    colour, marker, hatch : str
        In figures. The colours are those of Okabe and Ito (https://jfly.uni-koeln.de/color), which
        differ with any colour vision; marker and hatch say the same without any colour.
    letter : str
        For this class on label sheets and on the keyboard; empty for what no person says.
    older_names : tuple of str
        Spellings in earlier sets of labels.
    """

    name: str
    stage: str | None
    output: int | None
    from_deformation: bool
    colour: str
    marker: str
    hatch: str
    letter: str = ""
    older_names: tuple[str, ...] = ()


INCLUSION = "inclusion"
NOT_CLASSIFIED = "not_classified"
#: All classes in the order of figures: damage first, then what deformation does not make.
CLASSES = (
    SiteClass(
        name="martensite",
        stage="damage",
        output=3,
        from_deformation=True,
        colour="#D55E00",
        marker="o",
        hatch="",
        letter="m",
    ),
    SiteClass(
        name="interface",
        stage="damage",
        output=2,
        from_deformation=True,
        colour="#0072B2",
        marker="D",
        hatch="////",
        letter="d",
    ),
    SiteClass(
        name="notch",
        stage="damage",
        output=0,
        from_deformation=True,
        colour="#56B4E9",
        marker="^",
        hatch="....",
        letter="n",
    ),
    SiteClass(
        name=INCLUSION,
        stage="inclusion",
        output=0,
        from_deformation=False,
        colour="#009E73",
        marker="s",
        hatch="xxxx",
        letter="i",
        older_names=("inclusions",),
    ),
    SiteClass(
        name="shadowing",
        stage="damage",
        output=1,
        from_deformation=False,
        colour="#CC79A7",
        marker="v",
        hatch="----",
        letter="s",
        older_names=("boundary", "shadow"),
    ),
    SiteClass(
        name=NOT_CLASSIFIED,
        stage=None,
        output=None,
        from_deformation=False,
        colour="#8C8C8C",
        marker="X",
        hatch=r"\\\\",
    ),
)


def _outputs(stage):
    """Return the classes that a network names, in the order of its output."""
    named = (each for each in CLASSES if each.stage == stage)
    return tuple(each.name for each in sorted(named, key=lambda each: each.output))


#: Classes by the index in the output of the second network, and of the first.
DAMAGE_CLASSES = _outputs("damage")
INCLUSION_CLASSES = (*_outputs("inclusion"), "rest")
STAGE_CLASSES = {"inclusion": INCLUSION_CLASSES, "damage": DAMAGE_CLASSES}
STAGES = tuple(STAGE_CLASSES)
#: What a person can call a site, and what the networks can.
SITE_CLASSES = (INCLUSION, *DAMAGE_CLASSES)
SITE_LABELS = (*SITE_CLASSES, NOT_CLASSIFIED)
DAMAGE_MECHANISMS = tuple(each.name for each in CLASSES if each.from_deformation)
#: Name of the sum of the damage mechanisms, and of all classes, in tables with a row for each.
DAMAGE = "damage"
ALL = "all"
#: What an annotator answers who cannot tell: an answer that is no vote.
UNCLEAR = "unclear"
#: Letters that stand for answers on label sheets, which are filled in by hand; `d` is decohesion.
ANSWER_LETTERS = {each.letter: each.name for each in CLASSES if each.letter} | {"u": UNCLEAR}
OLDER_NAMES = {older: each.name for each in CLASSES for older in each.older_names}
#: Values of the pixels of a phase map.
PHASE_VALUES = {"outside": 0, "ferrite": 1, "martensite": 2, "damage": 3}


def class_named(answer: str) -> str:
    """Return the class of an answer: its letter or its name, in small or capital letters.

    Spreadsheets put a capital letter in front. Of another answer, the answer as it is.
    """
    lower = answer.lower()
    return lower if lower in (*SITE_CLASSES, UNCLEAR) else ANSWER_LETTERS.get(lower, answer)
