"""What the learned methods have in common: weights from a file, a network, tensors in and out."""

from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from baselines.bracket import Bracket
from baselines.checkpoint import network_of
from baselines.checkpoint_file import read_checkpoint_file
from baselines.conventions import AUTHORS, Conventions, linear_exposures, precise
from baselines.method import Method, MethodError, WeightsError, WeightsMissingError
from baselines.weights_training import weights_training


class LearnedMethod(Method):
    """A method with a network; subclasses set what is declared here and write `infer`.

    Attributes:
        architecture: the network's class.
        authors: the conventions of weights that do not state theirs.
        conventions: those of the loaded weights.
        metadata: text beside the loaded weights, by key.
        weights_of: name of the method whose weights it takes, where that is another.
        weights_folder: holds shipped weights, <method>.safetensors; a method from elsewhere may
            name a folder of its own.
    """

    architecture: ClassVar[type[nn.Module]]
    authors: ClassVar[Conventions] = AUTHORS
    weights_of: ClassVar[str] = ""
    weights_folder: ClassVar[Path] = Path(__file__).parent / "weights"
    weights_to_give: ClassVar[str] = "the authors' checkpoint or one of `dmef-bench train`"

    def __init__(self) -> None:
        super().__init__()
        self.conventions = self.authors
        self.metadata: Mapping[str, str] = {}
        self._network: nn.Module | None = None

    @classmethod
    @abstractmethod
    def infer(cls, network: nn.Module, bracket: Bracket, conventions: Conventions) -> Tensor:
        """The whole way from a bracket to the dataset's space; differentiable, for training too.

        Args:
            network: an `architecture` that `misfit` finds nothing wrong with.
            bracket: of a size that fits `info.size`, on the network's device.
            conventions: how the network is fed and what it gives.

        Returns:
            (B, 3, H, W) RGB, display-referred, not clipped.

        Raises:
            MethodError: the conventions ask for a camera response the bracket has not.
        """

    @classmethod
    def misfit(cls, network: nn.Module) -> str:
        """Why a network of the right architecture can't be fed with a bracket; empty if it can."""
        config, multiple = config_of(network), cls.info.size.multiple
        if config.inputs not in (3, 6):
            return f"it takes {config.inputs} channels an exposure, not 3 or 6"
        if multiple % (window := getattr(config, "window", 1)):
            return f"its windows of {window} pixels do not divide {multiple}"
        return ""

    @classmethod
    def shipped_weights(cls) -> Path | None:
        """See `Method.shipped_weights`."""
        path = cls.weights_folder / f"{cls.weights_of or cls.info.name}.safetensors"
        return path if path.is_file() else None

    def load(self, weights: Path | None, device: torch.device) -> None:
        """Read weights: the authors' checkpoint, or safetensors that state their conventions.

        Half-precision tensors become float32.

        Args:
            weights: the file; None for the shipped one.
            device: where the network is to run.

        Raises:
            WeightsMissingError: no weights are given and none are shipped.
            WeightsError: unreadable, unsafe, of another network, or they can't fuse brackets.
        """
        name = self.info.name
        weights = weights or self.shipped_weights()
        if weights is None:
            raise WeightsMissingError(
                f"{name} needs weights: give --weights FILE ({self.weights_to_give})"
            )
        file = read_checkpoint_file(weights)
        wanted = self.weights_of or name
        made_for = file.metadata.get("method", wanted)
        if made_for != wanted:
            raise WeightsError(f"{weights}: these are weights of {made_for!r}, not of {wanted!r}")
        network = network_of(file.content, str(weights))
        if not isinstance(network, self.architecture):
            raise WeightsError(
                f"{weights}: these are weights of {type(network).__name__}, "
                f"and {name} needs those of {self.architecture.__name__}"
            )
        if reason := self.misfit(network):
            raise WeightsError(f"{weights}: can't fuse three RGB exposures: {reason}")
        try:
            stated = file.metadata.get("conventions")
            self.conventions = self.authors if stated is None else Conventions.from_json(stated)
        except ValueError as error:
            raise WeightsError(f"{weights}: its stored conventions: {error}") from None
        self.metadata = file.metadata
        self._network = network.to(device)
        self.weights_sha256 = file.sha256
        self.weights_training = weights_training(file.metadata)
        self.device = device

    def fuse(self, bracket: Bracket) -> Tensor:
        """Fuse a bracket; powers in float32, the network in its own precision.

        Raises:
            MethodError: nothing is loaded, or the weights want a camera response that is unknown.
        """
        if self._network is None:
            raise MethodError(f"{self.info.name}: call load() before fuse()")
        with torch.no_grad():
            picture = self.infer(self._network, bracket, self.conventions)
        return picture.clamp(0, 1).to(bracket.images.dtype)

    def network(self) -> nn.Module | None:
        """The loaded network; None before `load`."""
        return self._network


def exposure_inputs(
    network: nn.Module,
    bracket: Bracket,
    conventions: Conventions,
    order: Literal["LDR, linear", "linear, LDR"],
    colours: Literal["RGB", "BGR"] = "RGB",
    clip_linear: bool = False,
) -> tuple[Tensor, Tensor, Tensor]:
    """What most of these networks take: each exposure as it is and in linear light.

    Args:
        network: says in `config.inputs` whether it takes both (6 channels) or the LDR alone (3).
        bracket: the exposures.
        conventions: how they become linear.
        order: of the two in the channels.
        colours: order of the colours in each.
        clip_linear: clip linear light to [0, 1].

    Returns:
        Low, mid and high, (B, inputs, H, W) in the network's precision.
    """
    shown = precise(bracket.images)
    pictures = [shown]
    if config_of(network).inputs != 3:
        light = linear_exposures(bracket, conventions)
        light = light.clamp(max=1) if clip_linear else light
        pictures = [shown, light] if order == "LDR, linear" else [light, shown]
    if colours == "BGR":
        pictures = [picture.flip(2) for picture in pictures]
    low, mid, high = torch.cat(pictures, 2).to(precision_of(network)).unbind(1)
    return low, mid, high


def config_of(network: nn.Module) -> Any:  # noqa: ANN401 - each network has its own config
    """The sizes a network was built with."""
    return network.config


def precision_of(network: nn.Module) -> torch.dtype:
    """The floating point type a network computes in."""
    return next(network.parameters()).dtype
