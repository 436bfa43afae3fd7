"""The learned baselines as plain eager PyTorch code writes them, to time our networks against.

Reconstructed from the papers and from how code of this kind is commonly written, not copied:
NCHW throughout, activations and products that make a new tensor each, concatenations in front of
every convolution that needs one, window partition and reversal with copies, attention as two
matrix products around a masked softmax, frames one after the other. Masks of shifted windows are
built once for a size. Each function takes one of our networks for its weights alone.
"""

from collections.abc import Callable
from functools import cache
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from baselines.ahdrnet import AHDRNet
from baselines.bracketire import TMRNet
from baselines.bracketire.network import ResidualBlocks
from baselines.fshdr import BridgeNet
from baselines.hdr_transformer import HDRTransformer
from baselines.sampling import warp
from baselines.sctnet import SCTNet
from baselines.window_attention import Mlp, WindowAttention


def eager_ahdrnet(net: AHDRNet, short: Tensor, reference: Tensor, long: Tensor) -> Tensor:
    """AHDRNet on three (B, inputs, H, W)."""
    low = functional.leaky_relu(net.conv1(short))
    mid = functional.leaky_relu(net.conv1(reference))
    high = functional.leaky_relu(net.conv1(long))
    attention = functional.leaky_relu(net.att11(torch.cat((low, mid), 1)))
    low = low * torch.sigmoid(net.att12(attention))
    attention = functional.leaky_relu(net.att31(torch.cat((high, mid), 1)))
    high = high * torch.sigmoid(net.att32(attention))
    x = net.conv2(torch.cat((low, mid, high), 1))
    outputs = []
    for block in (net.RDB1, net.RDB2, net.RDB3):
        inside = x
        for layer in block.dense_layers:
            inside = torch.cat((inside, functional.relu(layer.conv(inside))), 1)
        x = block.conv_1x1(inside) + x
        outputs.append(x)
    x = net.GFF_3x3(net.GFF_1x1(torch.cat(outputs, 1))) + mid
    return torch.sigmoid(net.conv3(net.conv_up(x)))


def eager_bridgenet(net: BridgeNet, exposures: Tensor) -> Tensor:
    """BridgeNet on (B, 3 · inputs, H, W)."""

    def active(layer: nn.Module, *inputs: Tensor) -> Tensor:
        x = torch.cat(inputs, 1) if len(inputs) > 1 else inputs[0]
        return functional.leaky_relu(layer(x), 0.2)

    x1, x2, x3 = exposures.chunk(3, 1)
    x1, x2, x3 = (active(layer, x) for layer, x in zip(net.a, (x1, x2, x3), strict=True))
    s1, s2 = active(net.s_a[0], x1, x2), active(net.s_a[1], x2, x3)
    for own, bridges in ((net.b, net.s_b), (net.c, net.s_c)):
        x1, x2, x3 = (active(layer, x) for layer, x in zip(own, (x1, x2, x3), strict=True))
        s1, s2 = active(bridges[0], x1, x2, s1), active(bridges[1], x2, x3, s2)
    trunk = torch.cat((x2, s1, s2), 1)
    outputs = [trunk]
    for block in (net.sdc1, net.sdc2):
        x = torch.cat(outputs, 1)
        branches = [
            functional.leaky_relu(layer(x), 0.3)
            for layer in (block.conv1, block.conv2, block.conv3)
        ]
        outputs.append(torch.cat(branches, 1))
    return torch.sigmoid(net.out(torch.cat(outputs, 1)))


def eager_hdr_transformer(
    net: HDRTransformer, short: Tensor, reference: Tensor, long: Tensor
) -> Tensor:
    """HDR-Transformer on three (B, inputs, H, W)."""
    low, mid, high = net.conv_f1(short), net.conv_f2(reference), net.conv_f3(long)

    def weighed(other: Tensor, attention: nn.Module) -> Tensor:
        hidden = functional.leaky_relu(attention.att1(torch.cat((other, mid), 1)))
        return other * torch.sigmoid(attention.att2(hidden))

    low, high = weighed(low, net.att_module_h), weighed(high, net.att_module_l)
    x = net.conv_first(torch.cat((low, mid, high), 1))
    size = x.shape[-2:]
    tokens = net.patch_embed["norm"](_to_tokens(x))
    for stage in net.layers:
        skipped = tokens
        for block in stage.residual_group["blocks"]:
            normal = block.norm1(tokens)
            local = block.lce.conv(_to_picture(normal, size))
            pooled = functional.adaptive_avg_pool2d(local, 1).flatten(1)
            local = _to_tokens(local * block.lce.fc(pooled)[:, :, None, None].expand_as(local))
            tokens = tokens + _window_attention(block.attn, normal, size, block.shift)
            tokens = tokens + _mlp(block.mlp, block.norm2(tokens)) + local
        tokens = _to_tokens(stage.dilated_conv(_to_picture(tokens, size))) + skipped
    body = _to_picture(net.norm(tokens), size)
    return torch.sigmoid(net.conv_last(mid + net.conv_after_body(body + x)))


def eager_sctnet(net: SCTNet, short: Tensor, reference: Tensor, long: Tensor) -> Tensor:
    """SCTNet on three (B, inputs, H, W) of a size that needs no padding."""
    low, mid, high = net.conv1(short), net.conv2(reference), net.conv3(long)
    size = mid.shape[-2:]
    tokens = net.patch_embed["norm"](_to_tokens(torch.cat((low, mid, high), 1)))
    first, second, third = tokens.chunk(3, -1)
    x = _mlp(net.conv_first, tokens)
    for stage, left, right, mlp in zip(
        net.layers, net.channel_layers_lm, net.channel_layers_rm, net.mlps, strict=True
    ):
        skipped = x
        for block in stage.residual_group["blocks"]:
            x = x + _window_attention(block.attn, block.norm1(x), size, block.shift)
            x = x + _mlp(block.mlp, block.norm2(x))
        x = _to_tokens(stage.conv(_to_picture(x, size))) + skipped
        x_low, x_mid, x_high = x.chunk(3, -1)
        x_low, x_mid, x_high = first + x_low, second + x_mid, third + x_high
        x = torch.cat(
            (_scab(left, x_mid, x_low, size), x_mid, _scab(right, x_mid, x_high, size)), -1
        )
        x = _mlp(mlp, x)
    body = net.conv_after_body(_to_picture(net.norm(x), size)) + net.conv_end(mid)
    return torch.sigmoid(net.upsample(body))


def eager_tmrnet(net: TMRNet, frames: Tensor) -> Tensor:
    """TMRNet on (B, T, C, H, W), frame after frame; flow and deformable convolution are ours."""
    count = frames.shape[1]
    encoded = frames.clamp(min=0) ** (1 / 2.2)
    features = []
    for index in range(count):
        pairs = [
            torch.stack((frames[:, index, channel], encoded[:, index, channel]), 1)
            for channel in range(frames.shape[2])
        ]
        features.append(_residual_blocks(net.feat_extract, torch.cat(pairs, 1)))
    flows = net._flow(frames)
    hidden = torch.zeros_like(features[0])
    for index in range(count):
        current = features[index]
        if index:
            flow = flows[index - 1 :: count - 1]
            warped = warp(current, flow) if net.config.flow else current
            current = net.dcn_alignment(current, features[0], warped, flow)
        step = torch.cat((features[0], current, hidden), 1)
        hidden = hidden + _residual_blocks(net.backbone["backward"], step)
        step = torch.cat((features[0], current, hidden), 1)
        own = _residual_blocks(net.backbone[f"backward_rec_{index + 1}"], step)
        hidden = hidden + own * net.learn_para[:, index]
    restored = _residual_blocks(net.reconstruction, torch.cat((features[0], hidden), 1))
    restored = restored + net.skipup1["upsample_conv"](frames[:, 0])
    return net.conv_last(functional.leaky_relu(net.conv_hr(restored), 0.1))


def _residual_blocks(blocks: ResidualBlocks, x: Tensor) -> Tensor:
    first, activation, rest = blocks.main
    x = activation(first(x))
    for block in rest:
        x = x + block.conv2(functional.relu(block.conv1(x)))
    return x


def _to_tokens(x: Tensor) -> Tensor:
    return x.flatten(2).transpose(1, 2).contiguous()


def _to_picture(tokens: Tensor, size: tuple[int, int]) -> Tensor:
    return tokens.transpose(1, 2).contiguous().view(len(tokens), -1, *size)


def _mlp(mlp: Mlp, x: Tensor) -> Tensor:
    return mlp.fc2(functional.gelu(mlp.fc1(x)))


def _partition(x: Tensor, window: int) -> Tensor:
    batch, height, width, channels = x.shape
    x = x.view(batch, height // window, window, width // window, window, channels)
    return x.permute(0, 1, 3, 2, 4, 5).contiguous().view(-1, window * window, channels)


def _reverse(windows: Tensor, window: int, batch: int, size: tuple[int, int]) -> Tensor:
    height, width = size
    x = windows.view(batch, height // window, width // window, window, window, -1)
    return x.permute(0, 1, 3, 2, 4, 5).contiguous().view(batch, height, width, -1)


@cache
def _mask(size: tuple[int, int], window: int, shift: int) -> Tensor:
    region = torch.zeros(1, *size, 1)
    number = 0
    for rows in (slice(0, -window), slice(-window, -shift), slice(-shift, None)):
        for columns in (slice(0, -window), slice(-window, -shift), slice(-shift, None)):
            region[:, rows, columns] = number
            number += 1
    label = _partition(region, window).squeeze(-1)
    difference = label[:, None, :] - label[:, :, None]
    return difference.masked_fill(difference != 0, -100.0)


@cache
def _position_index(window: int) -> Tensor:
    rows, columns = torch.meshgrid(torch.arange(window), torch.arange(window), indexing="ij")
    rows, columns = rows.flatten(), columns.flatten()
    row = rows[:, None] - rows[None, :] + window - 1
    column = columns[:, None] - columns[None, :] + window - 1
    return row * (2 * window - 1) + column


def _window_attention(
    layer: WindowAttention, tokens: Tensor, size: tuple[int, int], shift: int
) -> Tensor:
    batch, _, channels = tokens.shape
    heads, window = layer.heads, layer.window
    x = tokens.view(batch, *size, channels)
    if shift:
        x = torch.roll(x, (-shift, -shift), (1, 2))
    windows = _partition(x, window)
    count, pixels, _ = windows.shape
    qkv = layer.qkv(windows).reshape(count, pixels, 3, heads, channels // heads)
    q, k, v = qkv.permute(2, 0, 3, 1, 4)
    q = q * (channels // heads) ** -0.5
    weights = q @ k.transpose(-2, -1)
    bias = layer.relative_position_bias_table[_position_index(window).view(-1)]
    bias = bias.view(pixels, pixels, heads).permute(2, 0, 1).contiguous()
    weights = weights + bias[None]
    if shift:
        mask = _mask(size, window, shift)
        weights = weights.view(batch, len(mask), heads, pixels, pixels) + mask[None, :, None]
        weights = weights.view(-1, heads, pixels, pixels)
    attended = torch.softmax(weights, -1) @ v
    attended = layer.proj(attended.transpose(1, 2).reshape(count, pixels, channels))
    x = _reverse(attended, window, batch, size)
    if shift:
        x = torch.roll(x, (shift, shift), (1, 2))
    return x.view(batch, -1, channels)


def _scab(block: nn.Module, reference: Tensor, other: Tensor, size: tuple[int, int]) -> Tensor:
    attention = block.attn
    heads = attention.heads
    x = _to_picture(block.norm1_x["body"](reference), size)
    y = _to_picture(block.norm1_y["body"](other), size)
    q, k, v = (
        layer(picture).view(len(x), heads, -1, size[0] * size[1])
        for layer, picture in ((attention.q, x), (attention.k, y), (attention.v, y))
    )
    q, k = functional.normalize(q, dim=-1), functional.normalize(k, dim=-1)
    weights = torch.softmax((q @ k.transpose(-2, -1)) * attention.temperature, -1)
    attended = attention.project_out((weights @ v).view(len(x), -1, *size))
    result = reference + _to_tokens(attended)
    return result + _mlp(block.ffn, block.norm2(result))


EAGER: Final[dict[str, Callable[..., Tensor]]] = {
    "ahdrnet": eager_ahdrnet,
    "fshdr": eager_bridgenet,
    "hdr-transformer": eager_hdr_transformer,
    "sctnet": eager_sctnet,
    "bracketire": eager_tmrnet,
}
"""By the methods' names on the command line."""
