"""What follows for the comparison of panoramas with the training set of their networks."""

from dataclasses import dataclass
from pathlib import Path

from damascene.config.study import Study
from damascene.networks import network_named
from damascene.study.models import TRAINED


@dataclass(frozen=True, kw_only=True)
class ShiftPlan:
    """Which files say what networks learned from.

    Attributes
    ----------
    study : Study
    models : str
        Folder of the networks.
    trains : bool
        Whether the study trains them.
    """

    study: Study
    models: str
    trains: bool

    @property
    def condition(self) -> str:
        """File that says it; empty for networks from elsewhere that come without one."""
        path = f"{self.models}/condition.json"
        return path if self.trains or Path(path).is_file() else ""

    @property
    def made_files(self) -> list[str]:
        """The files, where the study makes them."""
        return [f"{TRAINED}/condition.json", f"{TRAINED}/condition.npz"] if self.trains else []

    @property
    def given_files(self) -> list[str]:
        """The files, where they come with networks from elsewhere."""
        if self.trains or not self.condition:
            return []
        space = Path(self.condition).with_suffix(".npz")
        return [self.condition, *([str(space)] if space.is_file() else [])]

    @property
    def network(self) -> list[str]:
        """The network that looks at the sites, and its card, if it is one that the study trains."""
        if not network_named(self.study.damage.network).frozen:
            return []
        return [f"{TRAINED}/damage.keras", f"{TRAINED}/damage.json"]
