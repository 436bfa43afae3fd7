"""HDR-Transformer's network: attention on the outer exposures, context-aware window attention."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from baselines.state_dict import StateDict, count_numbered
from baselines.window_attention import Mlp, WindowAttention


@dataclass(frozen=True)
class HDRTransformerConfig:
    """Sizes of an HDR-Transformer; the defaults are the authors' (1,222,113 parameters).

    Attributes:
        inputs: channels of each of the three inputs (linear and LDR picture: 6).
        features: width of the trunk.
        depths: blocks in each stage.
        heads: attention heads in each stage.
        window: side of an attention window in pixels.
        mlp_ratio: hidden width of a block's MLP over its width.
        reduction: squeeze of the local context extractor.
    """

    inputs: int = 6
    features: int = 60
    depths: tuple[int, ...] = (6, 6, 6)
    heads: tuple[int, ...] = (6, 6, 6)
    window: int = 8
    mlp_ratio: int = 2
    reduction: int = 8


class SpatialAttention(nn.Module):
    """Weights for an outer exposure from itself and the reference."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.att1 = nn.Conv2d(2 * features, 2 * features, 3, padding=1)
        self.att2 = nn.Conv2d(2 * features, features, 3, padding=1)

    def forward(self, other: Tensor, reference: Tensor) -> Tensor:
        """Two (B, C, H, W) to weights of the same shape in (0, 1)."""
        hidden = functional.leaky_relu(self.att1(torch.cat((other, reference), 1)))
        return torch.sigmoid(self.att2(hidden))


class LocalContextExtractor(nn.Module):
    """Bottleneck convolutions whose channels are weighed by their global means."""

    def __init__(self, features: int, reduction: int) -> None:
        super().__init__()
        narrow = features // reduction
        self.conv = nn.Sequential(
            nn.Conv2d(features, narrow, 1),
            nn.Conv2d(narrow, narrow, 3, padding=1),
            nn.Conv2d(narrow, features, 1),
            nn.LeakyReLU(0.2),
        )
        self.fc = nn.Sequential(
            nn.Linear(features, narrow, bias=False),
            nn.ReLU(),
            nn.Linear(narrow, features, bias=False),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same."""
        x = self.conv(x)
        weights: Tensor = self.fc(x.mean((-2, -1)))
        return x * weights[..., None, None]


class ContextAwareBlock(nn.Module):
    """Window attention and MLP, with local context added at the end."""

    def __init__(self, config: HDRTransformerConfig, heads: int, shift: int) -> None:
        super().__init__()
        width = config.features
        self.shift = shift
        self.norm1 = nn.LayerNorm(width)
        self.attn = WindowAttention(width, heads, config.window)
        self.lce = LocalContextExtractor(width, config.reduction)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = Mlp(width, width * config.mlp_ratio)

    def forward(self, x: Tensor) -> Tensor:
        """(B, H, W, C) to the same."""
        normal = self.norm1(x)
        local = self.lce(normal.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        x = x + self.attn(normal, self.shift)
        fused: Tensor = x + self.mlp(self.norm2(x)) + local
        return fused


class Stage(nn.Module):
    """Blocks with alternating shift, a dilated convolution and a skip."""

    def __init__(self, config: HDRTransformerConfig, depth: int, heads: int) -> None:
        super().__init__()
        width = config.features
        blocks = nn.Sequential(
            *(
                ContextAwareBlock(config, heads, config.window // 2 if index % 2 else 0)
                for index in range(depth)
            )
        )
        self.residual_group = nn.ModuleDict({"blocks": blocks})
        self.dilated_conv = nn.Conv2d(width, width, 3, padding=2, dilation=2)

    def forward(self, x: Tensor) -> Tensor:
        """(B, H, W, C) to the same."""
        attended: Tensor = self.residual_group["blocks"](x)
        planes = attended.permute(0, 3, 1, 2)
        if torch.is_autocast_enabled("cpu"):
            # With channels last oneDNN's gradient for 60 of them, dilated, holds stray memory.
            planes = planes.contiguous()
        spread: Tensor = self.dilated_conv(planes)
        return spread.permute(0, 2, 3, 1) + x


class HDRTransformer(nn.Module):
    """Context-aware transformer; height and width must be multiples of the window.

    Source: Liu et al., "Ghost-free High Dynamic Range Imaging with Context-aware Transformer",
    ECCV 2022. Parameter names are those of the authors' checkpoints.
    """

    configurations: ClassVar[Mapping[str, HDRTransformerConfig]] = {
        "official": HDRTransformerConfig(),
        "ipl_table1": HDRTransformerConfig(),
    }

    def __init__(self, config: HDRTransformerConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or HDRTransformerConfig()
        width = config.features
        self.conv_f1 = nn.Conv2d(config.inputs, width, 3, padding=1)
        self.conv_f2 = nn.Conv2d(config.inputs, width, 3, padding=1)
        self.conv_f3 = nn.Conv2d(config.inputs, width, 3, padding=1)
        self.att_module_h = SpatialAttention(width)
        self.att_module_l = SpatialAttention(width)
        self.conv_first = nn.Conv2d(3 * width, width, 3, padding=1)
        self.patch_embed = nn.ModuleDict({"norm": nn.LayerNorm(width)})
        self.layers = nn.Sequential(
            *(
                Stage(config, depth, heads)
                for depth, heads in zip(config.depths, config.heads, strict=True)
            )
        )
        self.norm = nn.LayerNorm(width)
        self.conv_after_body = nn.Conv2d(width, width, 3, padding=1)
        self.conv_last = nn.Conv2d(width, 3, 3, padding=1)

    def forward(self, short: Tensor, reference: Tensor, long: Tensor) -> Tensor:
        """Three (B, inputs, H, W), linear then LDR BGR, to (B, 3, H, W) in (0, 1).

        Raises:
            ValueError: height or width is no multiple of the window.
        """
        if any(length % self.config.window for length in short.shape[-2:]):
            raise ValueError(
                f"HDR-Transformer takes multiples of {self.config.window}, "
                f"got {short.shape[-2]}×{short.shape[-1]}"
            )
        low, mid, high = self.conv_f1(short), self.conv_f2(reference), self.conv_f3(long)
        low = low * self.att_module_h(low, mid)
        high = high * self.att_module_l(high, mid)
        x = self.conv_first(torch.cat((low, mid, high), 1))
        tokens = self.patch_embed["norm"](x.permute(0, 2, 3, 1))
        body = self.norm(self.layers(tokens)).permute(0, 3, 1, 2)
        return torch.sigmoid(self.conv_last(mid + self.conv_after_body(body + x)))

    @staticmethod
    def config_of(state: StateDict) -> HDRTransformerConfig:
        """The configuration a checkpoint's shapes belong to."""
        features, inputs = state["conv_f1.weight"].shape[:2]
        stages = range(count_numbered(state, "layers"))
        block = "layers.0.residual_group.blocks.0"
        table = state[f"{block}.attn.relative_position_bias_table"]
        return HDRTransformerConfig(
            inputs=inputs,
            features=features,
            depths=tuple(
                count_numbered(state, f"layers.{stage}.residual_group.blocks") for stage in stages
            ),
            heads=tuple(
                state[
                    f"layers.{stage}.residual_group.blocks.0.attn.relative_position_bias_table"
                ].shape[1]
                for stage in stages
            ),
            window=(round(table.shape[0] ** 0.5) + 1) // 2,
            mlp_ratio=state[f"{block}.mlp.fc1.weight"].shape[0] // features,
            reduction=features // state[f"{block}.lce.conv.0.weight"].shape[0],
        )
