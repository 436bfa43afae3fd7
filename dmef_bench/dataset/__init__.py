"""Datasets on disk: build one from videos, extend it, verify it, open it."""

from dmef_bench.dataset.build import BuildReport, NoUsableVideosError, build_dataset
from dmef_bench.dataset.dry_run import BuildPlan, plan_build
from dmef_bench.dataset.records import (
    ColourRecord,
    DatasetRecord,
    RejectionRecord,
    ResponseRecord,
    SceneRecord,
    SourceRecord,
)
from dmef_bench.dataset.scene import Dataset, Scene, open_dataset
from dmef_bench.dataset.settings import BuildSettings
from dmef_bench.dataset.verify import Problem, VerifyReport, verify

__all__ = [
    "BuildPlan",
    "BuildReport",
    "BuildSettings",
    "ColourRecord",
    "Dataset",
    "DatasetRecord",
    "NoUsableVideosError",
    "Problem",
    "RejectionRecord",
    "ResponseRecord",
    "Scene",
    "SceneRecord",
    "SourceRecord",
    "VerifyReport",
    "build_dataset",
    "open_dataset",
    "plan_build",
    "verify",
]
