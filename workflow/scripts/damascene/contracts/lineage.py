"""Where every product comes from."""

from damascene.contracts.columns import contract, text, whole

LINEAGE = contract(
    {
        "product": text("path of the product"),
        "rule": text("rule that made it; empty where the workflow engine does not remember"),
        "made_from": text("paths of what the rule read, with | between them"),
        "started": text("when its job started (ISO 8601, UTC); empty where not remembered"),
        "ended": text("when its job ended"),
        "size_bytes": whole("size of the file"),
        "sha256": text("SHA-256 checksum of the file; empty for files of more than 2 GB"),
    },
    description="one product",
    key=["product"],
)
