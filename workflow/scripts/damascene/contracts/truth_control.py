"""Errors that change the number of inclusions, from the truth of simulated panoramas."""

from damascene.contracts.columns import FRACTION, contract, interval, number, text, whole

TRUTH_CONTROL = contract(
    {
        "panorama": text("name in the sample sheet"),
        "strain_percent": number("its strain"),
        "error": text(
            "`damage_called_inclusion`, `shadow_called_inclusion`: of the true sites of the kind "
            "that were found; `nothing_called_inclusion`: of the sites called inclusion; "
            "`inclusion_missed`: of all true inclusions; `inclusion_called_otherwise`: of those "
            "found",
            among=(
                *("damage_called_inclusion", "shadow_called_inclusion"),
                *("nothing_called_inclusion", "inclusion_missed", "inclusion_called_otherwise"),
            ),
        ),
        "count": whole("how often it happened, outside the labelled area"),
        "total": whole("sites to which it could happen"),
        "value": number("count over total; missing without sites", FRACTION, missing=True),
        **interval("the value (exact binomial; sites independent of each other)"),
        "confidence": number("confidence level of the interval", FRACTION),
    },
    description="one kind of error in one simulated panorama",
    key=["panorama", "error"],
)
