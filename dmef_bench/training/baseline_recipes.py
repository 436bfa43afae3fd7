"""The learned baselines as the loop trains them: L1 to the ground truth itself."""

import dataclasses
import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from torch import Tensor, nn

from baselines import Bracket, MethodError, configuration
from baselines.ahdrnet import AHDRNetConfig
from baselines.ahdrnet.method import AHDRNetMethod
from baselines.bracketire import SMALL_RGB
from baselines.bracketire.method import BracketIREMethod
from baselines.conventions import Conventions
from baselines.fshdr import BridgeNetConfig
from baselines.fshdr.method import FSHDRMethod
from baselines.hdr_transformer import HDRTransformerConfig
from baselines.hdr_transformer.method import HDRTransformerMethod
from baselines.learned import LearnedMethod
from baselines.meflut import MEFLUTConfig
from baselines.meflut.method import MEFLUTMethod
from baselines.safnet import SAFNetConfig
from baselines.safnet.method import SAFNetMethod
from baselines.sctnet import SCTNetConfig
from baselines.sctnet.method import SCTNetMethod
from dmef_bench.errors import UsageError


@dataclasses.dataclass(frozen=True)
class TrainedBaseline:
    """A baseline and what training it starts from.

    Attributes:
        method: its class.
        config: of a fresh network; `--set` changes its fields, `--set configuration=NAME` all.
        conventions: how brackets are fed while training, written into the weights.
    """

    method: type[LearnedMethod]
    config: Any
    conventions: Conventions = Conventions()  # noqa: RUF009 - frozen

    @property
    def name(self) -> str:
        """The method's name on the command line."""
        return self.method.info.name

    def build(self, options: Mapping[str, str]) -> nn.Module:
        """A fresh network.

        Args:
            options: fields of its configuration; "configuration" names one to start from.

        Raises:
            UsageError: an unknown field or name, a wrong value, or sizes that don't go together.
        """
        fields = dict(options)
        start = self._named(fields.pop("configuration", None))
        config = dataclasses.replace(
            start, **{name: self._value(name, text) for name, text in fields.items()}
        )
        architecture: Callable[[Any], nn.Module] = self.method.architecture
        try:
            network = architecture(config)
        except (ValueError, RuntimeError, ArithmeticError) as error:
            raise UsageError(f"--set: {self.name} can't have these sizes: {error}") from None
        if reason := self.method.misfit(network):
            raise UsageError(f"--set: this {self.name} can't fuse three RGB exposures: {reason}")
        return network

    def predict(self, network: nn.Module, bracket: Bracket) -> Tensor:
        """The network's picture in the dataset's space, not clipped.

        Raises:
            UsageError: the bracket's size is not one the method takes.
        """
        rule = self.method.info.size
        if rule.fit(*bracket.size) != bracket.size:
            raise UsageError(
                f"{self.name} takes sides from {rule.minimum} pixels in multiples of "
                f"{rule.multiple}, not {bracket.size[0]}×{bracket.size[1]}: choose another --crop"
            )
        return self.method.infer(network, bracket, self.conventions)

    def metadata(self, network: nn.Module) -> dict[str, str]:
        """What the method reads beside the tensors, whose shapes tell the configuration."""
        return {"method": self.name, "conventions": self.conventions.to_json()}

    def _named(self, name: str | None) -> Any:  # noqa: ANN401 - each network has its own config
        if name is None:
            return self.config
        try:
            return configuration(self.name, name)
        except MethodError as error:
            raise UsageError(f"--set configuration={name}: {error}") from None

    def _value(self, name: str, text: str) -> object:
        fields = [field.name for field in dataclasses.fields(self.config)]
        if name not in fields:
            raise UsageError(
                f"--set: {self.name} has no field {name!r}; it has {', '.join(fields)}"
            )
        default = getattr(self.config, name)
        try:
            values = json.loads(f"[{text}]")
        except ValueError:
            values = []
        one = type(default[0] if isinstance(default, tuple) else default)
        good = bool(values) and all(type(value) is one for value in values)
        if isinstance(default, tuple) and good:
            return tuple(values)
        if good and len(values) == 1:
            return values[0]
        shown = ",".join(map(str, default)) if isinstance(default, tuple) else json.dumps(default)
        raise UsageError(f"--set {name}={text}: give a value like {shown}")


TRAINED_BASELINES: Final = (
    TrainedBaseline(AHDRNetMethod, AHDRNetConfig()),
    # Neither the flow nor FSHDR's two stages: the method then calls itself BridgeNet.
    TrainedBaseline(FSHDRMethod, BridgeNetConfig(), Conventions(flow_aligned=False)),
    TrainedBaseline(HDRTransformerMethod, HDRTransformerConfig()),
    TrainedBaseline(SCTNetMethod, SCTNetConfig()),
    TrainedBaseline(BracketIREMethod, SMALL_RGB),
    TrainedBaseline(SAFNetMethod, SAFNetConfig()),
    TrainedBaseline(MEFLUTMethod, MEFLUTConfig()),
)
