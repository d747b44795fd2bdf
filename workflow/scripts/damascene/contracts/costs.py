"""What the jobs of a study are expected to take."""

from damascene.contracts.columns import NOT_NEGATIVE, contract, number, text, whole

COSTS = contract(
    {
        "rule": text("name of the rule"),
        "jobs": whole("jobs of the rule"),
        "core_hours": number("processor time", NOT_NEGATIVE),
        "gpu_hours": number("time on a GPU, if there is one", NOT_NEGATIVE),
        "storage_gb": number("size of the products", NOT_NEGATIVE),
        "longest_job_minutes": number("time of the longest job", NOT_NEGATIVE),
        "basis": text("`shipped unit costs`, or the jobs measured on this machine"),
    },
    description="one rule, the dearest first",
    key=["rule"],
)
