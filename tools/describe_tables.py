"""Write docs/tables.md, what the columns of every table mean, from the contracts of the library.

Run by `make sync`.
"""

from pathlib import Path

import pandera.pandas as pa

from damascene.contracts.catalogue import TABLES, contract_of, type_name

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/tables.md"
HEAD = """# What the columns mean

Written from `workflow/scripts/damascene/contracts` by `make sync`; do not edit. All tables lie in
`results/`: Parquet for machines, TSV where a person reads. Every table is checked against these
columns when it is written and when it is read.
"""


def section(files: str, contract: pa.DataFrameSchema) -> str:
    """Return the part of the page on one table."""
    key = f" Key: {', '.join(f'`{name}`' for name in contract.unique)}." if contract.unique else ""
    rows = [
        f"| `{name}` | {type_name(column)} | {column.description.replace('|', chr(92) + '|')} |\n"
        for name, column in contract.columns.items()
    ]
    return (
        f"\n## {files}\n\nOne row is {contract.description}.{key}\n\n"
        f"| column | type | meaning |\n|---|---|---|\n{''.join(rows)}"
    )


def page() -> str:
    """Return the whole page."""
    return HEAD + "".join(section(files, contract_of(place)) for files, place in TABLES.items())


def main() -> None:
    """Write the page."""
    PAGE.write_text(page())


if __name__ == "__main__":
    main()
