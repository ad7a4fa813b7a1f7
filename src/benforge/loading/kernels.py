"""One pass over stored patches on a GPU, in Triton: gather, turn, interpolate, normalise.

Imported only where Triton is installed, as it is with torch's builds for CUDA. The plain way in
`prepare` reads and writes the pixels some eight times, this one once. A turn is first seen as
rows and columns of the source that are reversed, then as a store that is transposed.
"""

from __future__ import annotations

import triton
import triton.language as tl

LINES = 24
"""Rows of the result that one program writes: a multiple of 8, the rows of a transposed store."""


@triton.jit
def _at(pointer, mask, bounds, clamp: tl.constexpr):
    """Stored values as floats; they come as int16, whose bits are those of uint16."""
    values = tl.load(pointer, mask=mask, other=0).to(tl.uint16, bitcast=True).to(tl.float32)
    if clamp:
        values = tl.minimum(tl.maximum(values, bounds[0]), bounds[1])
    return values


@triton.jit
def _near(f, a: tl.constexpr):
    """Keys' weight of a pixel that is `f` < 1 away."""
    return ((a + 2) * f - (a + 3)) * f * f + 1


@triton.jit
def _taps(b, across, size: tl.constexpr, times: tl.constexpr, a: tl.constexpr):
    """The four columns of the source that give each column of the result, and their weights."""
    f = (b % times + 0.5) / times + 0.5
    f = tl.where(f >= 1.0, f - 1.0, f)
    g = 1.0 - f
    first = b // times - 2 + (2 * (b % times)) // times if times > 1 else b
    c0 = tl.minimum(tl.maximum(first, 0), size - 1)
    c1 = tl.minimum(tl.maximum(first + 1, 0), size - 1)
    c2 = tl.minimum(tl.maximum(first + 2, 0), size - 1)
    c3 = tl.minimum(tl.maximum(first + 3, 0), size - 1)
    columns = (
        tl.where(across, size - 1 - c0, c0),
        tl.where(across, size - 1 - c1, c1),
        tl.where(across, size - 1 - c2, c2),
        tl.where(across, size - 1 - c3, c3),
    )
    return columns, (a * f * (g * g), _near(f, a), _near(g, a), a * g * (f * f))


@triton.jit
def _line(
    source, i, down, taps, mask, bounds,
    size: tl.constexpr, times: tl.constexpr, clamp: tl.constexpr,
):  # fmt: skip
    """A row of the turned source, interpolated along itself; rows beyond the edge repeat it."""
    i = tl.minimum(tl.maximum(i, 0), size - 1)
    line = source + tl.where(down, size - 1 - i, i) * size
    c, w = taps
    if times == 1:
        return _at(line + c[0], mask, bounds, clamp)
    return (
        w[0] * _at(line + c[0], mask, bounds, clamp)
        + w[1] * _at(line + c[1], mask, bounds, clamp)
        + w[2] * _at(line + c[2], mask, bounds, clamp)
        + w[3] * _at(line + c[3], mask, bounds, clamp)
    )


@triton.jit
def _row(
    lines, mean, scale, m: tl.constexpr, times: tl.constexpr, a: tl.constexpr
):  # fmt: skip
    """Row `m` below these lines, normalised: Keys' weights of four, the first two rows above."""
    if times == 1:
        value = lines[m]
    else:
        f: tl.constexpr = ((m % times + 0.5) / times + 0.5) % 1.0
        g: tl.constexpr = 1.0 - f
        k: tl.constexpr = m // times + (2 * (m % times)) // times
        value = (
            (a * f * (g * g)) * lines[k]
            + (((a + 2) * f - (a + 3)) * f * f + 1) * lines[k + 1]
            + (((a + 2) * g - (a + 3)) * g * g + 1) * lines[k + 2]
            + (a * g * (f * f)) * lines[k + 3]
        )
    return (value - mean) * scale


@triton.jit
def _four(
    source, i, reverse, taps, mask, bounds,
    size: tl.constexpr, times: tl.constexpr, clamp: tl.constexpr,
):  # fmt: skip
    """Lines `i` to `i + 3`, as `_line` has each."""
    return (
        _line(source, i, reverse, taps, mask, bounds, size, times, clamp),
        _line(source, i + 1, reverse, taps, mask, bounds, size, times, clamp),
        _line(source, i + 2, reverse, taps, mask, bounds, size, times, clamp),
        _line(source, i + 3, reverse, taps, mask, bounds, size, times, clamp),
    )


@triton.jit
def _eight(
    lines, mean, scale, m: tl.constexpr, times: tl.constexpr, a: tl.constexpr
):  # fmt: skip
    """Rows `m` to `m + 7`, as `_row` has each."""
    return (
        _row(lines, mean, scale, m, times, a),
        _row(lines, mean, scale, m + 1, times, a),
        _row(lines, mean, scale, m + 2, times, a),
        _row(lines, mean, scale, m + 3, times, a),
        _row(lines, mean, scale, m + 4, times, a),
        _row(lines, mean, scale, m + 5, times, a),
        _row(lines, mean, scale, m + 6, times, a),
        _row(lines, mean, scale, m + 7, times, a),
    )


@triton.jit
def _store(target, row, b, r, transposed, mask, edge: tl.constexpr, wide: tl.constexpr):
    """Eight rows from `row` on, or as many columns."""
    if transposed:  # the eight values of a column side by side
        even = tl.join(tl.join(r[0], r[4]), tl.join(r[2], r[6]))
        odd = tl.join(tl.join(r[1], r[5]), tl.join(r[3], r[7]))
        place = b[:, None] * edge + row + tl.arange(0, 8)[None, :]
        tl.store(target + place, tl.reshape(tl.join(even, odd), (wide, 8)), mask=mask[:, None])
    else:
        for n in tl.static_range(8):
            tl.store(target + (row + n) * edge + b, r[n], mask=mask)


@triton.jit
def prepare_patches(
    pixels, rows, turns, stored, seen, means, scales, out, low, high, stride,
    bands: tl.constexpr, out_bands: tl.constexpr, edge: tl.constexpr, times: tl.constexpr,
    a: tl.constexpr, clamp: tl.constexpr, turned: tl.constexpr, lines: tl.constexpr,
    wide: tl.constexpr,
):  # fmt: skip
    """Write some rows of one band of one patch; `bands * edge / lines` programs a patch.

    Args:
        pixels: `stored_patch band row col`, int16 with the bits of uint16.
        rows: `patch`, int64, which stored patch each is.
        turns: `patch`, uint8, 0 to 7; not read unless `turned`.
        stored: `band`, int32, where each band of this pixel size stands in `pixels`.
        seen: `band`, int32, where it stands in `out`.
        means: `band`, float32.
        scales: `band`, float32, 1 / std.
        out: `patch band row col`, any float.
        low: values below are raised to it, if `clamp`.
        high: values above are lowered to it, likewise.
        stride: values of a stored patch.
        bands: of this pixel size.
        out_bands: of `out`.
        edge: of `out`.
        times: how much finer `out` is, 1 or even.
        a: of Keys' kernel.
        clamp: whether there are bounds.
        turned: whether there are turns.
        lines: `LINES`.
        wide: a power of two, `edge` or more.
    """
    size: tl.constexpr = edge // times
    blocks: tl.constexpr = edge // lines
    program = tl.program_id(0)
    block, band, patch = program % blocks, program // blocks % bands, program // (blocks * bands)
    turn = tl.load(turns + patch).to(tl.int32) if turned else 0
    quarters = turn % 4
    down, across = quarters >= 2, ((quarters == 1) | (quarters == 2)) != (turn >= 4)
    source = pixels + tl.load(rows + patch) * stride + tl.load(stored + band) * (size * size)
    target = out + (patch.to(tl.int64) * out_bands + tl.load(seen + band)) * (edge * edge)
    mean, scale = tl.load(means + band), tl.load(scales + band)
    b = tl.arange(0, wide)
    mask, bounds = b < edge, (low, high)
    taps = _taps(b, across, size, times, a)
    eights: tl.constexpr = 1 if times == 1 else times // 2
    above: tl.constexpr = 0 if times == 1 else 2
    for part in tl.static_range(lines // (8 * eights)):
        start = block * lines + part * 8 * eights
        i = start // times - above
        if times > 1 and part > 0:
            upper = lower  # noqa: F821  the last four of the part before
        else:
            upper = _four(source, i, down, taps, mask, bounds, size, times, clamp)
        lower = _four(source, i + 4, down, taps, mask, bounds, size, times, clamp)
        here = upper + lower
        for eight in tl.static_range(eights):
            r = _eight(here, mean, scale, 8 * eight, times, a)
            _store(target, start + 8 * eight, b, r, turn % 2 == 1, mask, edge, wide)
