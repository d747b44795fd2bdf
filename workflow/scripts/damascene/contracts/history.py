"""How the training of a network went, epoch by epoch."""

import pandera.pandas as pa

from damascene.contracts.columns import FRACTION, contract, number, text, whole

HISTORY = contract(
    {
        "run": text(
            "`selection`: on the training sites, judged on the validation sites; `refit`: on both",
            among=("selection", "refit"),
        ),
        "epoch": whole(
            "number of the epoch, or of the regularisation strength tried", pa.Check.ge(1)
        ),
        "strength": number(
            "regularisation strength; where only the last layer is fitted", required=False
        ),
        "loss": number("mean loss of the training sites"),
        "accuracy": number(
            "fraction of training sites that are right; not of networks that answer with greys",
            FRACTION,
            required=False,
        ),
        "validation_loss": number(
            "mean loss of the validation sites; missing in a refit", missing=True
        ),
        "validation_accuracy": number(
            "fraction of validation sites that are right; missing in a refit",
            FRACTION,
            missing=True,
            required=False,
        ),
        "learning_rate": number(
            "step length of the optimiser; where a network is trained by descent", required=False
        ),
        "seconds": number("time that the epoch took"),
    },
    description="one epoch of a training",
)
