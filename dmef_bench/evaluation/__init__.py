"""Run methods over a dataset: protocols, metrics, timing, and the records they leave."""

from dmef_bench.evaluation.eight_bit import to_eight_bit
from dmef_bench.evaluation.elsewhere import score_pictures
from dmef_bench.evaluation.inference import Prediction, predict, to_device
from dmef_bench.evaluation.lpips_backbone import LPIPS_NETS, LpipsNet, lpips_backbones
from dmef_bench.evaluation.lpips_distance import Lpips, LpipsUnavailableError
from dmef_bench.evaluation.method_call import (
    PRECISIONS,
    MethodCall,
    MethodFailedError,
    OutOfMemoryError,
    check_finite,
)
from dmef_bench.evaluation.options import RunOptions
from dmef_bench.evaluation.peak_signal_to_noise import psnr
from dmef_bench.evaluation.plan import Plan, plan_run
from dmef_bench.evaluation.protocols import (
    NativeProtocol,
    PaperProtocol,
    Protocol,
    ProtocolName,
    TiledProtocol,
)
from dmef_bench.evaluation.ready_method import WeightsMissingError, ready_method
from dmef_bench.evaluation.run_folder import finished_scenes
from dmef_bench.evaluation.run_on_cluster import plan_on_cluster, run_on_cluster
from dmef_bench.evaluation.runner import RunResult, run_method
from dmef_bench.evaluation.scoring import Figures, Scorer, make_scorer
from dmef_bench.evaluation.structural_similarity import ssim

__all__ = [
    "LPIPS_NETS",
    "PRECISIONS",
    "Figures",
    "Lpips",
    "LpipsNet",
    "LpipsUnavailableError",
    "MethodCall",
    "MethodFailedError",
    "NativeProtocol",
    "OutOfMemoryError",
    "PaperProtocol",
    "Plan",
    "Prediction",
    "Protocol",
    "ProtocolName",
    "RunOptions",
    "RunResult",
    "Scorer",
    "TiledProtocol",
    "WeightsMissingError",
    "check_finite",
    "finished_scenes",
    "lpips_backbones",
    "make_scorer",
    "plan_on_cluster",
    "plan_run",
    "predict",
    "psnr",
    "ready_method",
    "run_method",
    "run_on_cluster",
    "score_pictures",
    "ssim",
    "to_device",
    "to_eight_bit",
]
