"""Why a printed figure can't be set against a measured one, each reason in its own words."""

from collections.abc import Mapping
from types import MappingProxyType

NOTES: Mapping[str, str] = MappingProxyType(
    {
        "scenes": (
            "4K-DMEF was never published: these are other scenes. Nor does the paper name the "
            "camera response model, the exposure ratios, the frame spacing or the noise of its "
            "exposures, or say whether its medium exposure equals the ground truth (if it does, "
            "copying it is a perfect answer)."
        ),
        "definition": (
            "The paper does not define its SSIM (window, σ, channels) nor the network behind its "
            "LPIPS."
        ),
        "time": (
            "Timed on one RTX 4090; the paper does not say whether the two resizes are included or "
            "whether the device was synchronised before the clock was read."
        ),
        "macs": (
            "The column is printed in M but is in G, and every row was counted at another input: "
            "the counter thop gives AHDRNet 162.77 G at 256×512 (or two operations a MAC at "
            "256×256), FSHDR 957.91 G at 512×1024, HDR-Transformer 95.94 G and SCTNet 78.67 G at "
            "200×400. Not even its own rows compare."
        ),
        "fed-otherwise": (
            "The paper fed this method at the size of its MR column (bilinear down, infer, "
            "bilinear up); the measured row beside it was fed at another size."
        ),
        "mr": (
            "MR is printed as 256×256 although the text says that IPL alone runs at full 4K; its "
            "measured rows are not held to that size."
        ),
        "cache": (
            "With the attention cache on. Tables 4 and 5 print 34.78 dB and 0.1475 s without it. "
            "A cache addressed by position returns features of an earlier picture, one addressed "
            "by content must read a block before it may skip it; which was done is not said."
        ),
        "thop": (
            "thop's count, which reproduces exactly: it skips relative-position tables, and "
            "AHDRNet and FSHDR were counted with 3-channel inputs (AHDRNet without its unused "
            "attention convolutions). A full count is higher."
        ),
        "tmrnet": (
            "0.2368M fits no configuration of BracketIRE's TMRNet that was tried; its optical-flow "
            "network alone has 1.44M parameters."
        ),
        "linear": (
            "Printed as PSNR without a domain; the values lie by the PSNR of linear HDR values "
            "that the methods' own papers report, not by that of tone-mapped ones."
        ),
        "domain": (
            "Printed as PSNR without saying whether of linear or of tone-mapped HDR values."
        ),
        "variant": "A variant trained for this table only; no weights are public.",
    }
)
