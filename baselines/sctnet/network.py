"""SCTNet's network: window attention on all exposures, channel attention to the reference."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from baselines.state_dict import StateDict, count_numbered
from baselines.window_attention import Mlp, WindowAttention


@dataclass(frozen=True)
class SCTNetConfig:
    """Sizes of an SCTNet; the defaults are the authors' (994,555 parameters).

    Attributes:
        inputs: channels of each of the three inputs (linear and LDR picture: 6).
        features: width of the trunk, a third of it for each exposure.
        depths: window attention blocks in each stage.
        heads: their attention heads in each stage.
        window: side of an attention window in pixels.
        mlp_ratio: hidden width of a window block's MLP over its width.
        channel_heads: heads of the channel attention.
        channel_mlp_ratio: the same for the channel attention's MLP.
    """

    inputs: int = 6
    features: int = 60
    depths: tuple[int, ...] = (6, 6, 6, 6)
    heads: tuple[int, ...] = (6, 6, 6, 6)
    window: int = 8
    mlp_ratio: int = 2
    channel_heads: int = 4
    channel_mlp_ratio: int = 4


class WindowBlock(nn.Module):
    """A Swin Transformer block."""

    def __init__(self, config: SCTNetConfig, heads: int, shift: int) -> None:
        super().__init__()
        width = config.features
        self.shift = shift
        self.norm1 = nn.LayerNorm(width)
        self.attn = WindowAttention(width, heads, config.window)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = Mlp(width, width * config.mlp_ratio)

    def forward(self, x: Tensor) -> Tensor:
        """(B, H, W, C) to the same."""
        x = x + self.attn(self.norm1(x), self.shift)
        return x + cast(Tensor, self.mlp(self.norm2(x)))


class Stage(nn.Module):
    """Window blocks with alternating shift, a convolution and a skip."""

    def __init__(self, config: SCTNetConfig, depth: int, heads: int) -> None:
        super().__init__()
        width = config.features
        blocks = nn.Sequential(
            *(
                WindowBlock(config, heads, config.window // 2 if index % 2 else 0)
                for index in range(depth)
            )
        )
        self.residual_group = nn.ModuleDict({"blocks": blocks})
        self.conv = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, H, W, C) to the same."""
        attended: Tensor = self.residual_group["blocks"](x)
        spread: Tensor = self.conv(attended.permute(0, 3, 1, 2))
        return spread.permute(0, 2, 3, 1) + x


class ChannelAttention(nn.Module):
    """Cross-attention between channels: queries of the reference, keys and values of another."""

    def __init__(self, features: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.temperature = nn.Parameter(torch.ones(heads, 1, 1))
        self.q = nn.Conv2d(features, features, 1, bias=False)
        self.k = nn.Conv2d(features, features, 1, bias=False)
        self.v = nn.Conv2d(features, features, 1, bias=False)
        self.project_out = nn.Conv2d(features, features, 1, bias=False)

    def forward(self, reference: Tensor, other: Tensor) -> Tensor:
        """Two (B, C, H, W) to one."""
        batch, channels, height, width = reference.shape
        q, k, v = (
            layer(x).reshape(batch, self.heads, channels // self.heads, height * width)
            for layer, x in ((self.q, reference), (self.k, other), (self.v, other))
        )
        q, k = functional.normalize(q, dim=-1), functional.normalize(k, dim=-1)
        weights = (q @ k.transpose(-2, -1) * self.temperature).softmax(-1)
        return cast(Tensor, self.project_out((weights @ v).reshape(reference.shape)))


class SCAB(nn.Module):
    """Semantics consistent attention block: channel attention to the reference, then an MLP."""

    def __init__(self, features: int, heads: int, mlp_ratio: int) -> None:
        super().__init__()
        self.norm1_x = nn.ModuleDict({"body": nn.LayerNorm(features)})
        self.norm1_y = nn.ModuleDict({"body": nn.LayerNorm(features)})
        self.attn = ChannelAttention(features, heads)
        self.norm2 = nn.LayerNorm(features)
        self.ffn = Mlp(features, features * mlp_ratio)

    def forward(self, reference: Tensor, other: Tensor) -> Tensor:
        """Two (B, H, W, C) to one."""
        attended: Tensor = self.attn(
            self.norm1_x["body"](reference).permute(0, 3, 1, 2),
            self.norm1_y["body"](other).permute(0, 3, 1, 2),
        )
        x = reference + attended.permute(0, 2, 3, 1)
        return x + cast(Tensor, self.ffn(self.norm2(x)))


class SCTNet(nn.Module):
    """Semantics consistent transformer, any size; the result is padded to the window.

    Source: Tel et al., "Alignment-free HDR Deghosting with Semantics Consistent Transformer",
    ICCV 2023. Parameter names are those of the authors' checkpoints.
    """

    configurations: ClassVar[Mapping[str, SCTNetConfig]] = {
        "official": SCTNetConfig(),
        "ipl_table1": SCTNetConfig(),
    }

    def __init__(self, config: SCTNetConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or SCTNetConfig()
        width, third = config.features, config.features // 3
        self.conv1 = nn.Conv2d(config.inputs, third, 3, padding=1)
        self.conv2 = nn.Conv2d(config.inputs, third, 3, padding=1)
        self.conv3 = nn.Conv2d(config.inputs, third, 3, padding=1)
        self.conv_end = nn.Conv2d(third, width, 3, padding=1)
        self.patch_embed = nn.ModuleDict({"norm": nn.LayerNorm(width)})
        self.conv_first = Mlp(width, width)
        self.layers = nn.ModuleList(
            Stage(config, depth, heads)
            for depth, heads in zip(config.depths, config.heads, strict=True)
        )

        def channel_layers() -> nn.ModuleList:
            return nn.ModuleList(
                SCAB(third, config.channel_heads, config.channel_mlp_ratio) for _ in config.depths
            )

        self.channel_layers_lm = channel_layers()
        self.channel_layers_rm = channel_layers()
        self.mlps = nn.ModuleList(Mlp(width, width) for _ in config.depths)
        self.norm = nn.LayerNorm(width)
        self.conv_after_body = nn.Conv2d(width, width, 3, padding=1)
        self.upsample = nn.Sequential(nn.Conv2d(width, 3, 3, padding=1))

    def forward(self, short: Tensor, reference: Tensor, long: Tensor) -> Tensor:
        """Fuse three exposures.

        Args:
            short: (B, inputs, H, W), linear then LDR BGR.
            reference: the same of the reference exposure.
            long: the same of the brightest exposure.

        Returns:
            (B, 3, H', W') in (0, 1), H' and W' the next multiples of the window: like the
            authors' code it pads by reflection and does not crop.
        """
        below, right = (-length % self.config.window for length in short.shape[-2:])
        exposures = [
            functional.pad(x, (0, right, 0, below), "reflect") for x in (short, reference, long)
        ]
        features = [
            convolution(x)
            for convolution, x in zip((self.conv1, self.conv2, self.conv3), exposures, strict=True)
        ]
        tokens = self.patch_embed["norm"](torch.cat(features, 1).permute(0, 2, 3, 1))
        body = self.norm(self._fuse(tokens)).permute(0, 3, 1, 2)
        body = self.conv_after_body(body) + self.conv_end(features[1])
        return torch.sigmoid(self.upsample(body))

    def _fuse(self, tokens: Tensor) -> Tensor:
        low, mid, high = tokens.chunk(3, -1)
        x: Tensor = self.conv_first(tokens)
        for stage, left, right, mlp in zip(
            self.layers, self.channel_layers_lm, self.channel_layers_rm, self.mlps, strict=True
        ):
            x_low, x_mid, x_high = stage(x).chunk(3, -1)
            centre = mid + x_mid
            x = mlp(
                torch.cat((left(centre, low + x_low), centre, right(centre, high + x_high)), -1)
            )
        return x

    @staticmethod
    def config_of(state: StateDict) -> SCTNetConfig:
        """The configuration a checkpoint's shapes belong to."""
        third, inputs = state["conv1.weight"].shape[:2]
        features = 3 * third
        stages = range(count_numbered(state, "layers"))
        tables = [
            state[f"layers.{stage}.residual_group.blocks.0.attn.relative_position_bias_table"]
            for stage in stages
        ]
        fc1 = state["layers.0.residual_group.blocks.0.mlp.fc1.weight"]
        return SCTNetConfig(
            inputs=inputs,
            features=features,
            depths=tuple(
                count_numbered(state, f"layers.{stage}.residual_group.blocks") for stage in stages
            ),
            heads=tuple(table.shape[1] for table in tables),
            window=(round(tables[0].shape[0] ** 0.5) + 1) // 2,
            mlp_ratio=fc1.shape[0] // features,
            channel_heads=state["channel_layers_lm.0.attn.temperature"].shape[0],
            channel_mlp_ratio=state["channel_layers_lm.0.ffn.fc1.weight"].shape[0] // third,
        )
