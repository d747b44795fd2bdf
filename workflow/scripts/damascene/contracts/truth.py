"""What the simulator put into a panorama."""

from damascene.classes import SITE_CLASSES
from damascene.contracts.candidates import POSITION
from damascene.contracts.columns import POSITIVE, contract, number, text, values, whole

TRUTH = contract(
    {
        "panorama": text("name in the sample sheet"),
        "truth_id": whole("number of the true site within its panorama"),
        "true_class": text("class that was simulated", among=SITE_CLASSES),
        **POSITION,
        "area_px": whole("number of pixels"),
        "area_um2": number("area in square micrometres", POSITIVE),
        "outline_x_px": values("columns of the closed outline, without repeating its first point"),
        "outline_y_px": values("rows of the outline"),
    },
    description="one site that the simulator put into a panorama",
    key=["panorama", "truth_id"],
)
