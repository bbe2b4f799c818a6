"""A drawing's pixels in a palette of 256 colours: a third of the bytes that all colours take.

Figures have a few flat colours and their blends at edges. The most frequent 256 stay as they are, and each of the rest,
some pixels in a thousand, becomes the nearest of these.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image

_COLOURS = 256


def in_a_palette(drawn: npt.NDArray[np.uint8]) -> Image.Image:
    """Returns the image of pixels (height, width, 4: red, green, blue, alpha), all opaque, as every figure's are."""
    counted = Image.fromarray(drawn).getcolors(drawn.shape[0] * drawn.shape[1]) or []
    colours = np.array([colour for _, colour in sorted(counted, reverse=True)], dtype=np.uint8)
    kept = colours[:_COLOURS]
    distances = ((colours[:, None, :3].astype(np.int32) - kept[None, :, :3]) ** 2).sum(axis=2)
    place_of = np.empty(1 << 24, dtype=np.uint8)
    place_of[_numbered(colours)] = distances.argmin(axis=1)
    paletted = Image.fromarray(place_of[_numbered(drawn)])
    paletted.putpalette(kept[:, :3].tobytes())
    return paletted


def _numbered(colours: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint32]:
    """Each colour as one number, its alpha left out."""
    return np.ascontiguousarray(colours).view("<u4")[..., 0] & np.uint32(0xFFFFFF)
