"""Linear and quadratic forms of very many sign vectors, looked up in tables instead of multiplied out.

Eight signs are a byte, so a block of eight clusters has 256 states and a pair of blocks 65,536. With Q in such blocks,
v'Qv is a sum over pairs of blocks of numbers that depend on the pair's state alone: they are computed once, in a table
that stays in the processor's cache, and each draw looks its own up. That is (G/8)^2 / 2 look-ups a draw in place of
G^2 multiplications, and the order of adding up is the same on every machine.

A draw's value is exact to about 1e-16 of the numbers that were added up: where a form that cannot be negative comes out
far below its mean, digits have cancelled. `SMALL` says when to multiply it out instead.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sos_spark.fit.inference.signs import EIGHT_SIGNS, Array, Codes

SMALL = 1e-2
"""The share of a positive form's mean, which is its trace, below which a draw's value should be multiplied out."""

_ROWS_A_CHUNK = 16_384


def sign_forms(codes: Codes, *, linear: Array, quadratic: Array) -> tuple[Array, Array]:
    """Returns the values of linear forms v'l and of quadratic forms v'Qv, (L, rows) and (M, rows).

    Args:
        codes: Signs as bits, (B, rows): cluster 8 b + j is -1 where bit j of codes[b] is set.
        linear: l, (L, G) with G <= 8 B.
        quadratic: Q, symmetric, (M, G, G).
    """
    if len(codes) == 1:
        codes = np.vstack([codes, np.zeros_like(codes)])
    n_blocks, rows = codes.shape
    missing = 8 * n_blocks - linear.shape[1]
    lines = np.pad(linear, ((0, 0), (0, missing))).reshape(-1, n_blocks, 8) @ EIGHT_SIGNS.T
    squares = np.pad(quadratic, ((0, 0), (0, missing), (0, missing))).reshape(-1, n_blocks, 8, n_blocks, 8)
    of_lines, of_squares = np.zeros((len(lines), rows)), np.zeros((len(squares), rows))
    wide, last = codes.astype(np.uint16), n_blocks - 1
    table = np.empty((256, 256))
    for b in range(last):
        high = wide[b] << 8
        for c in range(b + 1, n_blocks):
            states = high | wide[c]
            # A block's own part stands in one of its tables: that with the next block, for the last one that before.
            for square, values in zip(squares, of_squares, strict=True):
                _tabulate(2 * square[b, :, c] @ EIGHT_SIGNS.T, table)
                if c == b + 1:
                    table += _own(square[b, :, b])[:, None] + (_own(square[c, :, c]) if c == last else 0.0)
                _add_looked_up(table, states, values)
            # Linear forms take two blocks at a time, and the last by itself if it is left over.
            if c == b + 1 and (b % 2 == 0 or c == last):
                for line, values in zip(lines, of_lines, strict=True):
                    np.add(line[b][:, None] * (b % 2 == 0), line[c], out=table)
                    _add_looked_up(table, states, values)
    return of_lines, of_squares


def _tabulate(rows: Array, table: Array) -> None:
    """Fills a table (256, 256) with the sums of the rows (8, 256) under the 256 states' signs.

    A state with one more -1 is a state that stands already less twice the row: no product, so no threads to wait for.
    """
    np.sum(rows, axis=0, out=table[0])
    for bit, row in enumerate(rows):
        np.subtract(table[: 2**bit], 2 * row, out=table[2**bit : 2 ** (bit + 1)])


def _own(square: Array) -> Array:
    """Returns s'Qs for the 256 states s of a block, (256,)."""
    return np.asarray(((EIGHT_SIGNS @ square) * EIGHT_SIGNS).sum(axis=1))


def _add_looked_up(table: Array, states: npt.NDArray[np.uint16], values: Array) -> None:
    """Adds to each draw's value its entry of the table, so many draws at a time that the cache holds them too."""
    entries, found = table.reshape(-1), np.empty(min(len(states), _ROWS_A_CHUNK))
    for start in range(0, len(states), _ROWS_A_CHUNK):
        part = states[start : start + _ROWS_A_CHUNK]
        values[start : start + len(part)] += np.take(entries, part, out=found[: len(part)], mode="clip")
