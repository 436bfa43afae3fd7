"""Import public bracketed datasets: Kalantari, Mobile-HDR, and folders laid out like them."""

from dmef_bench.dataset.importers.bracketed_folders import find_bracketed_folders
from dmef_bench.dataset.importers.found import BrokenSceneError, Found, FoundScene, ScenePictures
from dmef_bench.dataset.importers.import_dataset import ImportReport, import_dataset
from dmef_bench.dataset.importers.kalantari import find_kalantari
from dmef_bench.dataset.importers.mobile_hdr import find_mobile_hdr

__all__ = [
    "BrokenSceneError",
    "Found",
    "FoundScene",
    "ImportReport",
    "ScenePictures",
    "find_bracketed_folders",
    "find_kalantari",
    "find_mobile_hdr",
    "import_dataset",
]
