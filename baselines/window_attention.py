"""Self-attention in (shifted) windows, as Swin Transformer blocks use it on picture tokens."""

from functools import lru_cache
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from baselines.state_dict import StateDict

# Buffers the authors save that follow from the window and the picture size.
DERIVED_KEYS = ("relative_position_index", "attn_mask")


class Mlp(nn.Module):
    """Two linear layers with GELU between."""

    def __init__(self, features: int, hidden: int, outputs: int | None = None) -> None:
        super().__init__()
        self.fc1 = nn.Linear(features, hidden)
        self.fc2 = nn.Linear(hidden, outputs or features)

    def forward(self, x: Tensor) -> Tensor:
        """(..., features) to (..., outputs)."""
        return cast(Tensor, self.fc2(functional.gelu(self.fc1(x))))


@lru_cache(maxsize=8)
def relative_position_index(window: int) -> Tensor:
    """(window², window²) rows of the bias table for each pair of pixels in a window."""
    places = torch.stack(
        torch.meshgrid(torch.arange(window), torch.arange(window), indexing="ij")
    ).flatten(1)
    offset = (places[:, :, None] - places[:, None, :]) + window - 1
    return offset[0] * (2 * window - 1) + offset[1]


@lru_cache(maxsize=8)
def shift_mask(height: int, width: int, window: int) -> Tensor:
    """(windows, 1, window², window²): -100 between pixels that only the cyclic shift joined."""

    def regions(length: int) -> Tensor:
        region = torch.zeros(length, dtype=torch.long)
        region[-window:] = 1
        region[-(window // 2) :] = 2
        return region

    label = 3 * regions(height)[:, None] + regions(width)[None, :]
    label = to_windows(label[None, :, :, None], window).squeeze(-1)
    different = label[:, None, :] != label[:, :, None]
    return (different.float() * -100.0)[:, None]


def to_windows(x: Tensor, window: int) -> Tensor:
    """(B, H, W, C) to (B · windows, window², C); H and W are multiples of `window`."""
    batch, height, width, channels = x.shape
    x = x.reshape(batch, height // window, window, width // window, window, channels)
    return x.transpose(2, 3).reshape(-1, window * window, channels)


def from_windows(windows: Tensor, size: tuple[int, int, int], window: int) -> Tensor:
    """The inverse of `to_windows` for (B, H, W) = `size`."""
    batch, height, width = size
    x = windows.reshape(batch, height // window, width // window, window, window, -1)
    return x.transpose(2, 3).reshape(batch, height, width, -1)


class WindowAttention(nn.Module):
    """Multi-head attention inside windows with a learned bias for each relative position.

    Source: Liu et al., "Swin Transformer", ICCV 2021, section 3.2.
    """

    def __init__(self, features: int, heads: int, window: int) -> None:
        super().__init__()
        self.heads, self.window = heads, window
        self.relative_position_bias_table = nn.Parameter(torch.zeros((2 * window - 1) ** 2, heads))
        nn.init.trunc_normal_(self.relative_position_bias_table, std=0.02)
        self.qkv = nn.Linear(features, 3 * features)
        self.proj = nn.Linear(features, features)

    def forward(self, x: Tensor, shift: int) -> Tensor:
        """Attend in windows shifted by `shift` pixels.

        Args:
            x: (B, H, W, C), H and W multiples of the window.
            shift: 0, or half a window.

        Returns:
            (B, H, W, C).
        """
        batch, height, width, channels = x.shape
        pixels = self.window**2
        if shift:
            x = x.roll((-shift, -shift), (1, 2))
        qkv = self.qkv(to_windows(x, self.window))
        q, k, v = qkv.reshape(-1, pixels, 3, self.heads, channels // self.heads).permute(
            2, 0, 3, 1, 4
        )
        attended = _attended(q, k, v, self._bias(batch, height, width, shift).to(q.dtype))
        attended = self.proj(attended.transpose(1, 2).reshape(-1, pixels, channels))
        x = from_windows(attended, (batch, height, width), self.window)
        return x.roll((shift, shift), (1, 2)) if shift else x

    def _bias(self, batch: int, height: int, width: int, shift: int) -> Tensor:
        table = self.relative_position_bias_table
        index = relative_position_index(self.window).to(table.device)
        bias = table[index.flatten()].reshape(self.window**2, self.window**2, self.heads)
        bias = bias.permute(2, 0, 1)[None]
        if not shift:
            return bias
        mask = shift_mask(height, width, self.window).to(table.device)
        return (bias + mask).repeat(batch, 1, 1, 1)


def _attended(q: Tensor, k: Tensor, v: Tensor, bias: Tensor) -> Tensor:
    """Attention with a bias; q, k, v (B, heads, n, c), bias broadcastable to (B, heads, n, n)."""
    if q.device.type == "cpu" and q.dtype != torch.float32 and bias.requires_grad:
        # torch's own leaves half precision there, and is slow.
        weights = (q * q.shape[-1] ** -0.5) @ k.transpose(-2, -1) + bias
        return cast(Tensor, weights.softmax(-1).to(v.dtype) @ v)
    return functional.scaled_dot_product_attention(q, k, v, attn_mask=bias)


def without_derived(state: StateDict) -> dict[str, Tensor]:
    """A checkpoint without the buffers that are computed here from window and picture size."""
    return {key: value for key, value in state.items() if not key.endswith(DERIVED_KEYS)}
