"""The numbers that a page of the workshop tells, by which it is tested."""

from damascene.contracts.columns import contract, number, text

WORKSHOP_NUMBERS = contract(
    {
        "quantity": text("what the number is, with its unit"),
        "value": number("its value; missing where the study has nothing to count", missing=True),
    },
    description="A number that a page of the workshop tells.",
    key=["quantity"],
)
