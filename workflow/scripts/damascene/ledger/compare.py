"""Published numbers beside those of this workflow: pass, fail, or data not available."""

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from damascene.config.workshop import PICTURE_SETS
from damascene.contracts.ledger import FAIL, LEDGER, NO_DATA, PASS
from damascene.contracts.table import check_table
from damascene.ledger.fetch import PublicFile, have_file
from damascene.ledger.quantities import ARCHITECTURE, NETWORKS, NOTHING, SCORES, needed_for
from damascene.ledger.reference_run import count_parameters, run_on_image
from damascene.problems import MARK

logger = logging.getLogger(__name__)

_ROUNDING = 1e-9
# The name of one set ends as that of another does.
_LONGEST_FIRST = sorted(PICTURE_SETS, key=len, reverse=True)
_NOT_FOUND = "the run gives no such number: fewer sites were found than published"


def reproduce(
    published: pd.DataFrame,
    *,
    files: Sequence[PublicFile],
    folder: str | Path,
    fetch: bool,
    networks: Path | None = None,
    parameters: Callable[[], Mapping[str, float]] = count_parameters,
    scores: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Measure what was published, as far as the data are there, and compare.

    Parameters
    ----------
    published : pandas.DataFrame
        `PUBLISHED`.
    files : sequence of PublicFile
        Images and networks that are known by their checksum.
    folder : path
        Where they lie, or are put.
    fetch : bool
        Whether they may be fetched.
    networks : pathlib.Path, optional
        Folder of networks that are ready, in place of the public ones.
    parameters : callable, optional
        Returns the weights of the networks.
    scores : pandas.DataFrame, optional
        `DIGIT_SCORES` of the sets that were scored. They stand in the ledger also where nobody
        published a number.

    Returns
    -------
    pandas.DataFrame
        `LEDGER`.
    """
    rows = []
    runs = _Runs(
        files,
        folder=folder,
        fetch=fetch,
        networks=networks,
        parameters=parameters,
        scores=scores,
    )
    for row in published.itertuples():
        measured, reason = runs.value_of(row)
        if pd.isna(row.value):
            result, reason = NO_DATA, f"the published value is not known: {row.note}"
        elif measured is None:
            result = FAIL if reason == _NOT_FOUND else NO_DATA
        elif pd.isna(measured):
            result, reason = FAIL, "the run gives no number for it"
        # 0.513 is as far as 0.001 from 0.512, and a little farther for a computer.
        elif abs(measured - row.value) <= row.tolerance + _ROUNDING:
            result, reason = PASS, ""
        else:
            result = FAIL
            reason = (
                f"{measured:.9g} is {abs(measured - row.value):.3g} from the published "
                f"{row.value:.9g}, more than {row.tolerance:g}"
            )
        rows.append(
            {
                "publication": row.publication,
                "quantity": row.quantity,
                "value": row.value,
                "tolerance": row.tolerance,
                "measured": measured,
                "unit": row.unit,
                "result": result,
                "reason": reason,
                "source": row.source,
                "doi": row.doi,
            }
        )
    return check_table(pd.DataFrame(rows), LEDGER, source="ledger")


def ledger_lines(ledger: pd.DataFrame) -> list[str]:
    """Return what the terminal says of a ledger: the numbers that fail first."""
    counts = ledger["result"].value_counts()
    failed = ledger[ledger["result"] == FAIL]
    lines = [
        f"{MARK}{one.publication}, {one.quantity}: {one.reason} ({one.source})."
        for one in failed.itertuples()
    ]
    lines.append(
        f"Published numbers: {counts.get(PASS, 0)} reproduced, {len(failed)} not, "
        f"{counts.get(NO_DATA, 0)} not compared, because data are not available."
    )
    absent = ledger.loc[ledger["result"] == NO_DATA, "reason"].value_counts()
    lines += [f"  {count} x {reason}." for reason, count in absent.items()]
    return lines


class _Runs:
    """What can be measured, each run made once and only if a row asks for it."""

    def __init__(self, files, *, folder, fetch, networks, parameters, scores):
        self._files, self._options = list(files), {"folder": folder, "fetch": fetch}
        self._scores = {}
        if scores is not None:
            names = "accuracy_" + scores["network"] + "_" + scores["dataset"]
            self._scores = dict(
                zip(names, zip(scores["accuracy"], scores["not_scored"], strict=True), strict=True)
            )
        self._networks, self._parameters = networks, parameters
        self._had, self._found = {}, {}

    def value_of(self, row):
        """Return value and reason of a row: one of them is None or empty."""
        kind = needed_for(row.quantity)
        if kind == SCORES:
            return self._score(row.quantity)
        if pd.isna(row.value):
            return None, ""
        if kind == NOTHING:
            return None, "the images that it was measured on are not public"
        if kind == ARCHITECTURE:
            values = self._once("parameters", self._parameters)
            return values[row.quantity], ""
        if not row.image:
            return None, "the ledger names no image and parameter set that it is measured with"
        image = self._file(row.image)
        if image.path is None:
            return None, image.reason
        networks, reason = self._named_networks() if kind == NETWORKS else (None, "")
        if reason:
            return None, reason
        key = (row.image, row.preset, networks is not None)
        values = self._once(
            key, lambda: run_on_image(image.path, preset=row.preset, networks=networks)
        )
        # A number that the run should give and does not is a failure, not missing data.
        return values.get(row.quantity), "" if row.quantity in values else _NOT_FOUND

    def _score(self, quantity):
        if quantity not in self._scores:
            dataset = next(name for name in _LONGEST_FIRST if quantity.endswith(f"_{name}"))
            return None, (
                f"no network was trained on {dataset}: add it to 'reproduce: scores', or run "
                "'snakemake workshop_scores' with it"
            )
        accuracy, reason = self._scores[quantity]
        return (None, reason) if pd.isna(accuracy) else (accuracy, "")

    def _once(self, key, measure):
        if key not in self._found:
            self._found[key] = dict(measure())
        return self._found[key]

    def _file(self, name):
        if name not in self._had:
            known = next((one for one in self._files if one.name == name), None)
            self._had[name] = (
                have_file(known, **self._options)
                if known
                else PublicFile(
                    name=name,
                    sha256="",
                    doi="",
                    reason=f"no checksum of {name} is known (resources/public_images.tsv)",
                )
            )
        return self._had[name]

    def _named_networks(self):
        if self._networks is not None:
            return self._networks, ""
        files = {one.stage: self._file(one.name) for one in self._files if one.stage}
        absent = [one.reason for one in files.values() if one.path is None]
        if absent or not files:
            return None, "; ".join(absent) or "no networks are known by their checksum"
        return {stage: one.path for stage, one in files.items()}, ""
