"""The two networks."""

from typing import Annotated

import pydantic
from pydantic import AfterValidator, Field

from damascene import InputError
from damascene.config.section import Edge, InputPath, Section
from damascene.networks import IMAGENET, network_named, networks_with_weights


def _checked_network(text: str) -> str:
    try:
        network_named(text)
    except InputError as error:
        raise ValueError(str(error).rstrip(".")) from error
    return text


class Network(Section):
    """One of the two networks."""

    network: Annotated[str, AfterValidator(_checked_network)] = Field(
        "steel_lite0",
        description="`steel_lite0` is EfficientNet-Lite0, pre-trained on ImageNet and adapted to "
        "simulated dual-phase steel. It learns only its last layer here, all classes at once in "
        "both stages: best for a few hundred labels, and trained in a minute. "
        "`efficientnet_lite0` is the same without the adaptation. `compact` learns all its "
        "weights from the labels. `inception_v3` and `eeracn` are the published networks and need "
        "a GPU, as do `xception`, `vgg16` and `alexnet`; `lenet5` is small. Or a network of your "
        "own, written as `INPUT -> [[CONV -> RELU]*2 -> POOL]*3 -> [FC -> RELU]*1 -> FC`.",
    )
    window: Edge = Field(
        "5 um",
        description="Edge of the window round a site that the network sees, resampled to its "
        "input size. In px it shows more of the steel where pixels are larger; give it in um if "
        "pixel sizes differ. With one window and centre for both stages, `steel_lite0` "
        "looks at each site once for both, which halves the time.",
    )
    centre: float = Field(
        0.5,
        gt=0,
        le=1,
        description="Fraction of the window's edge that `steel_lite0` and `compact` also "
        "see enlarged: the window shows the surroundings of the site, its centre the outline. 1 "
        "leaves the second picture out; other networks take one picture.",
    )
    descriptors: bool = Field(
        True,
        description="Average the answer of the network with that of trees on measured "
        "descriptors of the site (shape, depth, rim, martensite at its ends and flanks). The "
        "trees weigh a quarter beside `steel_lite0` and `efficientnet_lite0`, else one half. "
        "`compact` also takes the descriptors as an input. Other networks use none.",
    )
    threshold: float = Field(
        ge=0,
        lt=1,
        description="Probability that must be exceeded; otherwise a site goes on to the damage "
        "network (inclusion) or is `not_classified` (damage).",
    )
    weights: InputPath = Field(
        "none",
        description="What training starts from: `none` for random weights, `imagenet` (for "
        "`inception_v3`, `xception` and `vgg16`), or a file with weights of the same network. "
        "`steel_lite0` and `efficientnet_lite0` always have their own: leave `none`.",
    )
    frozen_layers: int = Field(
        0,
        ge=0,
        description="Number of first layers whose weights are not trained; useful only with "
        "`weights`.",
    )
    head_rate_factor: float = Field(
        1,
        gt=0,
        description="Factor on the learning rate of the last layer, which is new where the "
        "others start from `weights`.",
    )

    @pydantic.model_validator(mode="after")
    def _no_contradiction(self):
        changed = self.weights != "none" or self.frozen_layers or self.head_rate_factor != 1
        if network_named(self.network).frozen and changed:
            raise ValueError(
                f"{self.network} always has its pre-trained weights and learns its last layer "
                "alone. Set weights to none, frozen_layers to 0 and head_rate_factor to 1, or "
                "choose another network"
            )
        if self.frozen_layers and self.weights == "none":
            raise ValueError(
                f"'frozen_layers: {self.frozen_layers}' with 'weights: none' would keep random "
                "weights. Name weights to start from, or set frozen_layers to 0"
            )
        loadable = networks_with_weights()
        if self.weights == IMAGENET and self.network not in loadable:
            raise ValueError(
                f"'weights: {IMAGENET}' are there for {', '.join(loadable)}, not for "
                f"{self.network}. Set weights to none or to a file"
            )
        return self


class InclusionNetwork(Network):
    """Stage 1: inclusion, or the rest."""

    # Below one half: five classes share the probability, and the others rarely leave it more.
    threshold: float = Field(0.35, ge=0, lt=1)


class DamageNetwork(Network):
    """Stage 2: notch, shadowing, interface, martensite."""

    threshold: float = Field(0.3, ge=0, lt=1)
