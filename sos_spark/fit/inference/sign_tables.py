"""The statistics of a wild cluster bootstrap's draws, from tables of sign forms where there are draws enough to pay.

A draw v has the numerator v'u and, about its own estimate, the variance |v'S|^2 = v'(S S')v, S the kernel's spread.
With few draws, or Webb's points, they are multiplied out; so is, always, a draw whose variance is so far below the mean
that S S' has lost its digits.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations_with_replacement

import numpy as np

from sos_spark.fit.inference import kernel as by_product
from sos_spark.fit.inference.inversion import Quadratics
from sos_spark.fit.inference.kernel import Kernel, Mask, same_sign
from sos_spark.fit.inference.sign_forms import SMALL, sign_forms
from sos_spark.fit.inference.signs import EIGHT_SIGNS, Codes, SignDraws
from sos_spark.fit.regression.moments import Array

_ENOUGH_ROWS = 8_000
"""From here on tables cost less than products."""
_ROWS_A_PIECE = 4_096


def t_stars(kernel: Kernel, draws: SignDraws, *, rho: float, unit_ids: Sequence[str]) -> Array:
    """Returns t* of every row of the draws under the null beta + rho, CR1 factor left out. Shape (rows,).

    The kernel's clusters are in the order of `unit_ids`, which are among those of the draws.
    """
    if not _tables_pay(draws):
        return by_product.t_stars(kernel, draws, rho=rho, unit_ids=unit_ids)
    columns, width = draws.columns(unit_ids), len(draws.unit_ids)
    own_numerators, own_spread = kernel.at(rho)
    numerators, spread, contributes = np.zeros(width), np.zeros((width, len(columns))), np.zeros(width, dtype=bool)
    numerators[columns], spread[columns], contributes[columns] = own_numerators, own_spread, kernel.contributes
    t_star = np.empty(draws.n_rows)
    start = 0
    for codes in draws.code_batches():
        (numerator,), (variance,) = _forms(codes, linear=[numerators], spreads=[spread])
        part = t_star[start : start + len(variance)]
        part[:] = 0.0
        with np.errstate(divide="ignore"):
            np.divide(numerator, np.sqrt(variance), out=part, where=numerator != 0)
        if rho != 0:
            kept, flipped = _alike(codes, contributes)
            part[kept], part[flipped] = -rho / kernel.se, rho / kernel.se
        start += len(part)
    return t_star


def interval_quadratics(kernel: Kernel, draws: SignDraws) -> Quadratics:
    """Returns every draw's t* as a function of the null; the kernel's clusters are those of the draws."""
    rows, always = np.empty((5, draws.n_rows)), np.empty(draws.n_rows, dtype=bool)
    linear, spreads = [kernel.u, kernel.h], [kernel.spread, kernel.spread_slope]
    start = 0
    if _tables_pay(draws):
        for codes in draws.code_batches():
            part = slice(start, start + codes.shape[1])
            rows[:2, part], rows[2:, part] = _forms(codes, linear=linear, spreads=spreads)
            always[part] = np.logical_or(*_alike(codes, kernel.contributes))
            start = part.stop
    else:
        for signs in draws.batches(floats_per_row=3 * len(draws.unit_ids)):
            part = slice(start, start + len(signs))
            rows[:2, part] = np.stack([signs @ line for line in linear])
            rows[2:, part] = _multiplied_out(signs, spreads)
            always[part] = same_sign(signs, kernel.contributes)
            start = part.stop
    se = kernel.se
    return Quadratics(p=rows[0] / se, h=rows[1], q0=rows[2] / se**2, q1=rows[3] / se, q2=rows[4], always=always)


def _tables_pay(draws: SignDraws) -> bool:
    return draws.kind == "rademacher" and draws.n_rows >= _ENOUGH_ROWS


def _forms(codes: Codes, *, linear: Sequence[Array], spreads: Sequence[Array]) -> tuple[Array, Array]:
    """Returns v'l of each l, and (v'S)(v'R)' of each pair of the spreads S and R, (L, rows) and (M, rows)."""
    pairs = list(combinations_with_replacement(range(len(spreads)), 2))
    products = [spreads[i] @ spreads[j].T for i, j in pairs]
    quadratic = np.stack([(product + product.T) / 2 for product in products])
    lines, squares = sign_forms(codes, linear=np.stack(linear), quadratic=quadratic)
    small = np.zeros(codes.shape[1], dtype=bool)
    for (i, j), product, values in zip(pairs, products, squares, strict=True):
        if i == j:
            small |= values < SMALL * np.trace(product)
    places = np.flatnonzero(small)
    for start in range(0, len(places), _ROWS_A_PIECE):
        some = places[start : start + _ROWS_A_PIECE]
        signs = EIGHT_SIGNS[codes[:, some].T].reshape(len(some), -1)[:, : len(spreads[0])]
        squares[:, some] = _multiplied_out(signs, spreads)
    return lines, squares


def _multiplied_out(signs: Array, spreads: Sequence[Array]) -> Array:
    """Returns (v'S)(v'R)' of each pair of the spreads, (M, rows)."""
    scores = [signs @ spread for spread in spreads]
    return np.stack([np.einsum("bg,bg->b", a, b) for a, b in combinations_with_replacement(scores, 2)])


def _alike(codes: Codes, contributes: Mask) -> tuple[Mask, Mask]:
    """Returns which draws keep, and which flip, every cluster that contributes: |t*| = |t| there. Shapes (rows,)."""
    bits = np.packbits(contributes, bitorder="little")[:, None]
    flipped = codes & bits
    return np.asarray(~flipped.any(axis=0)), np.asarray((flipped == bits).all(axis=0))
