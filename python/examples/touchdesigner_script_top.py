"""The callbacks of a Script TOP in TouchDesigner that shows a channel's strip, for use where there is no Syphon Spout In
TOP to do it. See docs/hosts/touchdesigner.md."""

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from virtual_gpu_lut_box import Receiver

STREAM = "vglb-lut-cam1"


class ScriptTop(Protocol):
    """What of a Script TOP is used here."""

    def copyNumpyArray(self, array: npt.NDArray[Any]) -> None: ...


receiver = Receiver(STREAM)


def onCook(scriptOp: ScriptTop) -> None:
    # Looks, and does not wait: TouchDesigner's frame goes on.
    if receiver.wait(0):
        # TouchDesigner counts rows from the bottom.
        scriptOp.copyNumpyArray(np.ascontiguousarray(receiver.frame()[::-1]))
