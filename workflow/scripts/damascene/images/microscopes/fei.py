"""FEI and Thermo Fisher: a tag with sections such as `[Scan]`, which tifffile parses."""

from damascene.images.microscopes.common import (
    NOTHING_STATED,
    Acquisition,
    VendorHeader,
    bar_below,
    date,
    plain_text,
    positive,
    scaled,
    statement,
)


def parse_fei(sections: object, *, width_px: int, height_px: int) -> VendorHeader:
    """Read what tifffile made of the tag."""
    if not isinstance(sections, dict):
        return VendorHeader(acquisition=NOTHING_STATED)

    def entry(section, name):
        found = sections.get(section)
        return found.get(name) if isinstance(found, dict) else None

    beam = entry("Beam", "Beam")
    given = [entry("Scan", name) for name in ("PixelWidth", "PixelHeight")]
    scan = [scaled(positive(one), 1e9) for one in given]
    volts = positive(entry("Beam", "HV")) or positive(entry(beam, "HV"))
    metres = positive(entry(beam, "WD")) or positive(entry("Stage", "WorkingDistance"))
    dwell = positive(entry("Scan", "Dwelltime"))
    model = plain_text(entry("System", "SystemType"))
    created = date(entry("PrivateFei", "TimeOfCreation"), "%d.%m.%Y %H:%M:%S")
    # With AM and PM the order of day and month is the American one; without it is anybody's guess.
    user_date = f"{entry('User', 'Date')} {entry('User', 'Time')}"
    # The data bar is stored below the rows that were scanned.
    columns, rows = (positive(entry("Image", f"Resolution{axis}")) for axis in "XY")
    return VendorHeader(
        acquisition=Acquisition(
            microscope=f"FEI {model}" if model else "FEI",
            accelerating_voltage_kv=scaled(volts, 1e-3),
            working_distance_mm=scaled(metres, 1e3),
            detector=plain_text(entry("Detectors", "Name")),
            dwell_time_ns=scaled(dwell, 1e9),
            acquired=created or date(user_date, "%m/%d/%Y %I:%M:%S %p"),
        ),
        size=statement("the FEI header", scan, columns, given=given),
        data_bar_px=bar_below(rows, height_px=height_px) if columns == width_px else None,
    )
