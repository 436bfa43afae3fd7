"""Names for the array types this folder passes around."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Bytes: TypeAlias = NDArray[np.uint8]
Codes: TypeAlias = NDArray[np.uint16]
Floats: TypeAlias = NDArray[np.float32]
