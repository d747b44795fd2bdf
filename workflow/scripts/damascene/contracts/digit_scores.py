"""How well networks tell small public pictures that they were not trained on."""

from damascene.contracts.columns import FRACTION, contract, number, text, whole

#: Networks that are trained on each set of pictures.
DIGIT_NETWORKS = ("lenet5", "small", "vgg")

DIGIT_SCORES = contract(
    {
        "dataset": text("set of pictures, as in `workshop.digits`"),
        "network": text("network that was trained", among=DIGIT_NETWORKS),
        "accuracy": number("share of right answers; missing without data", FRACTION, missing=True),
        "accuracy_low": number("lower end of its 95 % interval", FRACTION, missing=True),
        "accuracy_high": number("upper end of its 95 % interval", FRACTION, missing=True),
        "trained_on": whole("pictures it learned from", missing=True),
        "tested_on": whole("other pictures, on which it was tested", missing=True),
        "epochs": whole("passes over the pictures", missing=True),
        "weights": whole("numbers that it learns", missing=True),
        "not_scored": text("why there is no accuracy; empty otherwise"),
    },
    description="one network on one set of pictures",
    key=["dataset", "network"],
)
