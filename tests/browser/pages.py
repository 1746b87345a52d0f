"""What the tests of the page share."""

import random

CARD = "article:has(h3:text-is('{}'))"


def grade(size, seed):
    """A .cube of a smooth grade that clips nowhere at the same place for R, G and B."""
    rng = random.Random(seed)
    gain = [rng.uniform(0.6, 1.4) for _ in range(3)]
    twist = [rng.uniform(-0.3, 0.3) for _ in range(3)]
    rows = []
    for b in range(size):
        for g in range(size):
            for r in range(size):
                rgb = [c / (size - 1) for c in (r, g, b)]
                out = [gain[i] * rgb[i] + twist[i] * rgb[(i + 1) % 3] * (1 - rgb[i]) - 0.05 for i in range(3)]
                rows.append(" ".join(f"{v:.7g}" for v in out))
    return f"LUT_3D_SIZE {size}\n" + "\n".join(rows) + "\n"


def shown(page, n):
    page.wait_for_selector(f"body[data-shown='{n}']")
