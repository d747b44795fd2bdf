"""From the answers of people to one label a site."""

import pandas as pd

from damascene.contracts.labels import ANSWER_SEPARATOR, LABELLED_SITES, UNCLEAR
from damascene.contracts.table import check_table, empty_table

_SITE = ["panorama", "site_id"]


def choose_labels(answers: pd.DataFrame, candidates: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Let the annotators of each site vote for its class.

    The last answer of a person is their vote, `unclear` is none. An answer that was given to decide
    does so alone, the last of several; one that says `unclear` leaves the site without a label.
    Elsewhere the label is the class with most votes; where several have as many, it is the one of
    them on which the file says that the annotators agreed, and without such a word the site has no
    label.

    Parameters
    ----------
    answers : pandas.DataFrame
        `ANSWERS`.
    candidates : dict of str to pandas.DataFrame
        `CANDIDATES` of every panorama.

    Returns
    -------
    pandas.DataFrame
        `LABELLED_SITES`, sorted by panorama, row and column. Clips are centred on the candidate,
        as they will be later; where there is none, on the mean of the positions given.
    """
    # By name, so that the order of rows and files does not matter where they do not decide.
    votes = counting(answers)
    votes = votes[votes["answer"] != UNCLEAR].sort_values("annotator", kind="stable")
    if votes.empty:
        return empty_table(LABELLED_SITES)
    sites = pd.DataFrame(
        [
            {
                "panorama": panorama,
                "site_id": site_id,
                "x_px": of_site["x_px"].mean(),
                "y_px": of_site["y_px"].mean(),
                "label": label,
                "annotator": ANSWER_SEPARATOR.join(of_site["annotator"]),
                "answers": ANSWER_SEPARATOR.join(of_site["answer"]),
            }
            for (panorama, site_id), of_site in votes.groupby(_SITE)
            if (label := winner(of_site))
        ],
        columns=[name for name in LABELLED_SITES.columns if not name.startswith("clip")],
    )
    found = pd.concat([table[[*_SITE, "x_px", "y_px"]] for table in candidates.values()])
    centres = found.set_index(_SITE).reindex(pd.MultiIndex.from_frame(sites[_SITE]))
    for axis in ("x_px", "y_px"):
        centre = centres[axis].reset_index(drop=True)
        sites[f"clip_{axis}"] = centre.fillna(sites[axis])
    sites = sites.sort_values(["panorama", "y_px", "x_px", "label"], kind="stable")
    return check_table(sites, LABELLED_SITES, source="labels")


def counting(answers: pd.DataFrame) -> pd.DataFrame:
    """Return the answers that count on each site: the one that decides, or those of all people.

    Parameters
    ----------
    answers : pandas.DataFrame
        `ANSWERS`.
    """
    deciding = answers[answers["decides"]].sort_values("order")
    deciding = deciding.drop_duplicates(_SITE, keep="last")
    sites = pd.MultiIndex.from_frame(answers[_SITE])
    decided = sites.isin(pd.MultiIndex.from_frame(deciding[_SITE]))
    return answers[(answers["counts"] & ~decided) | answers.index.isin(deciding.index)]


def winner(votes: pd.DataFrame) -> str:
    """Return the class that the votes on one site give it, empty if there is none.

    Parameters
    ----------
    votes : pandas.DataFrame
        With `answer`, `agreed` and `order`, one row a person.
    """
    leading = votes["answer"].mode()
    if len(leading) > 1:
        agreed = votes[votes["agreed"].isin(leading)].sort_values("order")["agreed"]
        leading = agreed.tail(1)
    return next(iter(leading), "")
