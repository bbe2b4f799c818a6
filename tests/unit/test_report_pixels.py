"""Pixels in a palette: frequent colours stay what they are, and the rest become the nearest of them."""

from __future__ import annotations

import numpy as np

from sos_spark.report.figures.pixels import in_a_palette


def test_flat_colours_stay_and_a_rare_one_becomes_the_nearest() -> None:
    shades = np.full((2, 257, 4), 255, dtype=np.uint8)
    shades[:, :256, 0] = np.arange(256)
    shades[0, 256], shades[1, 256] = (3, 255, 250, 255), (7, 255, 255, 255)

    image = in_a_palette(shades)

    drawn = np.asarray(image.convert("RGB"))
    assert image.mode == "P"
    np.testing.assert_array_equal(drawn[:, :256], shades[:, :256, :3])
    np.testing.assert_array_equal(drawn[:, 256], [(3, 255, 255), (7, 255, 255)])
