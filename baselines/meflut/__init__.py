"""MEFLUT (ICCV 2023)."""

from baselines.meflut.network import MEFLUT, MEFLUTConfig
from baselines.meflut.tables import read_tables, tables_of

__all__ = ["MEFLUT", "MEFLUTConfig", "read_tables", "tables_of"]
