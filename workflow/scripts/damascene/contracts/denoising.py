"""What denoisers do to the sites that are found in simulated panoramas."""

from damascene.contracts.columns import FRACTION, NOT_NEGATIVE, contract, number, text, whole

DENOISING = contract(
    {
        "panorama": text("name in the sample sheet"),
        "method": text("name of the denoiser, or `none`"),
        "true_sites": whole("true sites above the minimum area of the detection"),
        "candidates": whole("sites found"),
        "kept": whole("true sites found"),
        "lost": whole("true sites not found"),
        "invented": whole("sites found where no true site is"),
        "recall": number("kept over true sites; missing without any", FRACTION, missing=True),
        "precision": number("true among the sites found; missing without", missing=True),
        "seconds": number("time that denoising took", NOT_NEGATIVE),
    },
    description="one denoiser on one panorama",
    key=["panorama", "method"],
)
