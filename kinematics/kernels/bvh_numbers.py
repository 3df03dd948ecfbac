"""Numbers out of text: one pass over the bytes of a motion block, each double rounded as `float()` rounds it.

Up to 15 digits a number is an integer times or divided by a power of ten that is a double too: one operation, correctly
rounded (Clinger, "How to read floating point numbers accurately", 1990). Up to 19 digits the product with a 128-bit power
of five decides (Lemire, "Number parsing at a gigabyte per second", 2021). What is longer is left to the caller.
"""

from __future__ import annotations

import numpy as np

from kinematics.kernels.jit import jit

POSITION, NUMBERS, ROWS, ROW_START, ROW_NUMBERS, HARD, STRANGE = range(7)  # entries of `state`
SKIPPED = -1  # `strange[:, 0]` is SKIPPED - n where text before number n was skipped

U = np.uint64
ONE, NINE, TEN, FIFTEEN, FORTY_EIGHT = U(1), U(9), U(10), U(15), U(48)
LF, CR, BLANK, HASH, PLUS, MINUS, POINT, SLASH, UPPER_E, LOWER_E = 10, 13, 32, 35, 43, 45, 46, 47, 69, 101
TENS = np.array([float(10**k) for k in range(23)])  # all exact
EXACT = U(1 << 53)
SMALLEST_POWER, LARGEST_POWER = -342, 308


def _powers_of_five() -> np.ndarray:
    """Return the leading 128 bits of 5^q as rows (high, low), rounded down for q >= 0 and up below (Lemire 2021, section 5)."""
    rows = []
    for q in range(SMALLEST_POWER, LARGEST_POWER + 1):
        power = 5 ** abs(q)
        if q < 0:
            bits = (power - 1).bit_length()
            number = (1 << (bits + 127 if q >= -27 else 2 * bits + 128)) // power + 1
        else:
            number = power << 128
        number >>= number.bit_length() - 128
        rows.append((number >> 64, number & (2**64 - 1)))
    return np.array(rows, dtype=np.uint64)


FIVES = _powers_of_five()


@jit
def _multiply(a: np.uint64, b: np.uint64) -> tuple[np.uint64, np.uint64]:
    """Return the high and low half of the 128-bit product of two uint64."""
    mask, half = U(0xFFFFFFFF), U(32)
    a_low, a_high, b_low, b_high = a & mask, a >> half, b & mask, b >> half
    low, cross = a_low * b_low, a_high * b_low
    middle = (low >> half) + (cross & mask) + a_low * b_high
    return a_high * b_high + (cross >> half) + (middle >> half), (middle << half) | (low & mask)


@jit
def _rounded(mantissa: np.uint64, exponent: np.int64) -> np.uint64:
    """Return the bits of the double nearest to mantissa * 10^exponent, or 0 where it is not a normal number."""
    if exponent < SMALLEST_POWER or exponent > LARGEST_POWER or mantissa == U(0):
        return U(0)
    shift = 0
    while mantissa >> U(63) == U(0):
        mantissa <<= ONE
        shift += 1
    row = exponent - SMALLEST_POWER
    high, low = _multiply(mantissa, FIVES[row, 0])
    if high & U(0x1FF) == U(0x1FF):  # the low half of the power may matter
        more = _multiply(mantissa, FIVES[row, 1])[0]
        low += more
        if low < more:
            high += ONE
    upper = high >> U(63)
    bits = high >> (upper + U(9))
    binary = ((217706 * exponent) >> 16) + 63 + np.int64(upper) - shift + 1023
    if low <= ONE and -4 <= exponent <= 23 and bits & U(3) == ONE and (bits << (upper + U(9))) == high:
        bits &= ~ONE  # exactly halfway: to even
    bits = (bits + (bits & ONE)) >> ONE
    if bits >= U(1 << 53):
        bits = U(1 << 52)
        binary += 1
    if binary <= 0 or binary >= 2047:
        return U(0)
    return (bits & U((1 << 52) - 1)) | (U(binary) << U(52))


@jit
def parse(
    data: np.ndarray, state: np.ndarray, values: np.ndarray, rows: np.ndarray, hard: np.ndarray, strange: np.ndarray
) -> None:
    """Read numbers from `data`, bytes that end with a line end, into `values` until the end or until an array is full.

    `state` (7,) holds position, numbers, rows, where the row starts and how many numbers were before it, hard and strange
    words so far; start with zeros, call again with more room to go on. `rows` (n, 2) gets for each line that has numbers
    where it starts and how many numbers there are up to its end. A number that needs more care goes to `hard` (n, 3): index,
    first byte, end. A word that is none becomes NaN and goes to `strange` (n, 3) while there is room, and so do, with an
    index of SKIPPED or below, comments and lines that do not begin like a number.
    """
    size, room, bits = U(len(data)), U(len(values)), values.view(np.uint64)
    pos, count, row, start, before = U(state[0]), U(state[1]), state[2], U(state[3]), U(state[4])
    difficult, odd = state[5], state[6]
    while pos < size:
        c = data[pos]
        if c <= BLANK:
            if c in (LF, CR):
                if count > before:
                    if row == len(rows):
                        break
                    rows[row, 0], rows[row, 1] = start, count
                    row += 1
                    before = count
                start = pos + ONE
            pos += ONE
            continue
        if count == room:
            break
        first, negative = pos, c == MINUS
        pos += U(negative) | U(c == PLUS)  # no branch: signs are as good as random
        mantissa, begin = U(0), pos
        digit = U(data[pos]) - FORTY_EIGHT
        while digit <= NINE:
            mantissa = mantissa * TEN + digit
            pos += ONE
            digit = U(data[pos]) - FORTY_EIGHT
        digits, fraction = pos - begin, U(0)
        if data[pos] == POINT:
            pos += ONE
            begin = pos
            digit = U(data[pos]) - FORTY_EIGHT
            while digit <= NINE:
                mantissa = mantissa * TEN + digit
                pos += ONE
                digit = U(data[pos]) - FORTY_EIGHT
            fraction = pos - begin
            digits += fraction
        if data[pos] <= BLANK and digits - ONE < FIFTEEN:  # nearly every number
            value = np.float64(mantissa) / TENS[fraction]
            values[count] = -value if negative else value
            count += ONE
            continue
        if difficult == len(hard):
            pos = first
            break
        if c > 57 or c < PLUS or c == SLASH:  # neither digit, sign nor point
            number_like = c == 78 or c == 110 or c == 73 or c == 105 or c >= 128  # N, n, I, i (nan, inf), a broken byte
            comment = c == HASH or (c == SLASH and data[pos + ONE] == SLASH)
            if comment or (count == before and not number_like):
                while data[pos] != LF and data[pos] != CR:
                    pos += ONE
                if odd < len(strange):
                    strange[odd, 0], strange[odd, 1], strange[odd, 2] = SKIPPED - np.int64(count), first, pos
                odd += 1
                continue
        exponent, number = -np.int64(fraction), digits > U(0)
        if number and (data[pos] == LOWER_E or data[pos] == UPPER_E):
            pos += ONE
            below = data[pos] == MINUS
            pos += U(below) | U(data[pos] == PLUS)
            begin, power = pos, np.int64(0)
            while U(data[pos]) - FORTY_EIGHT <= NINE:
                power = min(power * 10 + np.int64(data[pos]) - 48, np.int64(9999))
                pos += ONE
            number = pos > begin
            exponent += -power if below else power
        found = U(0)
        if number and data[pos] <= BLANK:
            if digits <= U(19) and mantissa <= EXACT and -22 <= exponent <= 22:
                value = np.float64(mantissa)
                value = value / TENS[-exponent] if exponent < 0 else value * TENS[exponent]
                values[count] = -value if negative else value
                count += ONE
                continue
            if digits <= U(19):
                found = _rounded(mantissa, exponent)
            if found:
                bits[count] = found | (U(negative) << U(63))
            else:
                hard[difficult, 0], hard[difficult, 1], hard[difficult, 2] = count, first, pos
                difficult += 1
        else:
            while data[pos] > BLANK:
                pos += ONE
            values[count] = np.nan
            if odd < len(strange):
                strange[odd, 0], strange[odd, 1], strange[odd, 2] = count, first, pos
            odd += 1
        count += ONE
    state[0], state[1], state[2], state[3], state[4], state[5], state[6] = pos, count, row, start, before, difficult, odd


@jit
def rows_of_json(text: np.ndarray) -> np.ndarray:
    """Turn the bytes of [[1.0,2.0],[3.0,4.0]] into rows of numbers with blanks between them."""
    out = np.empty(len(text), dtype=np.uint8)
    pos, end, size = U(2), U(0), U(len(text)) - ONE
    while pos < size:
        c = text[pos]
        if c == 93:  # ]
            out[end] = LF
            pos += U(3)
        else:
            out[end] = BLANK if c == 44 else c
            pos += ONE
        end += ONE
    return out[:end]
