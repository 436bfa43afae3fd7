"""The least a bracket can cost on a GPU: bytes through memory, operations, and their seconds."""

from dataclasses import dataclass

from dmef_bench.ipl.config import IPLConfig

# NVIDIA's data sheet of the H200 SXM: memory, and dense products by operand size in bytes; one of
# float32 takes three of TF32.
H200_BYTES_PER_SECOND = 4.8e12
H200_OPERATIONS_PER_SECOND = {2: 989e12, 4: 494e12 / 3}


@dataclass(frozen=True)
class Traffic:
    """Bytes of one bracket, each buffer passed once, and the operations of its products.

    Attributes:
        bracket: read by the trunk.
        features: written by the trunk and read by the UpSampler.
        reference: X2, read again where the gain meets it.
        picture: the result, written.
        samples: pixels that the DRTMs look at, read once more before all else.
        copies: bracket into the graph's own buffer and the picture out of it.
        operations: multiplications and additions of all convolutions, without padding.
        operand_bytes: 2 or 4, of the products.
    """

    bracket: int
    features: int
    reference: int
    picture: int
    samples: int
    copies: int
    operations: int
    operand_bytes: int

    @property
    def floor_bytes(self) -> int:
        """What no arrangement in two passes avoids: bracket, features twice, X2, picture."""
        return self.bracket + self.features + self.reference + self.picture

    @property
    def bytes(self) -> int:
        """All that the path moves, if every buffer passes once."""
        return self.floor_bytes + self.samples + self.copies

    @property
    def floor_seconds(self) -> float:
        """`floor_bytes` at an H200's memory bandwidth."""
        return self.floor_bytes / H200_BYTES_PER_SECOND

    @property
    def operation_seconds(self) -> float:
        """`operations` at an H200's dense rate for these operands."""
        return self.operations / H200_OPERATIONS_PER_SECOND[self.operand_bytes]


def memory_traffic(
    config: IPLConfig,
    height: int,
    width: int,
    *,
    image_bytes: int,
    operand_bytes: int,
    out_bytes: int,
) -> Traffic:
    """Count one bracket.

    Args:
        config: of the network.
        height: of the picture.
        width: of the picture.
        image_bytes: of one input value: 1 for uint8, 2 or 4.
        operand_bytes: of one feature and one weight: 2 or 4.
        out_bytes: of one output value.
    """
    r, c = config.factor, config.channels
    features = -(-height // r) * -(-width // r)
    pixels = height * width
    gates = {"C": config.channel_block, "W": c, "H": c}
    pointwise = sum(2 * c * gates[dimension] for dimension in config.dimensions)
    a_pixel = 9 * c * 9 * r**2 + config.blocks * pointwise + 9 * c * 3 * r**2
    places = min(4 * config.drtm_size**2, features) if config.drtm else 0
    bracket, picture = 9 * pixels * image_bytes, 3 * pixels * out_bytes
    return Traffic(
        bracket=bracket,
        features=2 * features * c * operand_bytes,
        reference=3 * pixels * image_bytes,
        picture=picture,
        samples=places * 9 * 9 * r**2 * image_bytes,
        copies=2 * (bracket + picture),
        operations=2 * features * a_pixel,
        operand_bytes=operand_bytes,
    )
