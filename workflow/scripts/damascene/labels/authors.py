"""Who answered, by the name of a label file.

Every job plans the study and asks for it: contracts are not loaded for it.
"""

import re
from pathlib import Path

from damascene.text_files import plain_name

# What files are called beside the name of their author, and when they were written.
_CALLED = re.compile(r"(?<![^\W_])(label_?sheet|labels?|sheet)(?=$|[\W_])", re.IGNORECASE)
_TIME = re.compile(r"[\W_]+\d[\dTZ:.+-]*\)?$")


def author_named(path: Path) -> str:
    """Return whom the name of a label file names, empty for nobody.

    As in `labels_anna_20260131T1405.tsv` and `label_sheet anna.tsv`.
    """
    rest = _TIME.sub("", _CALLED.sub("", path.stem, count=1))
    return plain_name(rest.strip(" _-."))
