"""Published numbers, and what this workflow finds in their place."""

from damascene.contracts.columns import NOT_NEGATIVE, contract, number, text, whole

PASS, FAIL, NO_DATA = "pass", "fail", "data not available"

PUBLISHED = contract(
    {
        "publication": text("name of its file in `resources/publications`"),
        "quantity": text("what is measured, see `ledger.md`"),
        "value": number("published value; missing where it was not read", missing=True),
        "tolerance": number(
            "largest distance of a right number; missing without a value",
            NOT_NEGATIVE,
            missing=True,
        ),
        "unit": text("unit of value and tolerance; empty for counts and fractions"),
        "source": text("table, figure or output in which the number stands"),
        "doi": text("digital object identifier of the publication or its data"),
        "preset": text("parameter set of the run that measures it; empty without a run"),
        "image": text("public image that is searched; empty without a run"),
        "note": text("why a value is missing, and other remarks"),
    },
    description="one published number",
    key=["publication", "quantity"],
)

LEDGER = contract(
    {
        "publication": text("name of its file in `resources/publications`"),
        "quantity": text("what is measured, see `ledger.md`"),
        "value": number("published value; missing where it was not read", missing=True),
        "tolerance": number("largest distance of a right number", NOT_NEGATIVE, missing=True),
        "measured": number("what this workflow finds; missing without data", missing=True),
        "unit": text("unit of these; empty for counts and fractions"),
        "result": text(
            "`pass` within the tolerance, `fail` outside it, or `data not available`",
            among=(PASS, FAIL, NO_DATA),
        ),
        "reason": text("why it fails or was not compared; empty where it passes"),
        "source": text("table, figure or output in which the number stands"),
        "doi": text("digital object identifier of the publication or its data"),
    },
    description="one published number beside one's own",
    key=["publication", "quantity"],
)

VERSIONS = contract(
    {
        "panorama": text("name in the sample sheet"),
        "version": text("`study`, or the name of a published parameter set"),
        "clusters": whole("clusters of any size"),
        "candidates": whole(
            "sites; missing where merging as published would stop with an error", missing=True
        ),
        "area_mm2": number("valid area", NOT_NEGATIVE),
        "candidates_per_mm2": number("sites over valid area", NOT_NEGATIVE, missing=True),
        "ratio": number("candidates over those of the study; missing without these", missing=True),
        "not_estimated": text("why there is no count; empty otherwise"),
    },
    description="one panorama with one parameter set",
    key=["panorama", "version"],
)
