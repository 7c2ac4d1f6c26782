"""Synthetic phone photographs of one handwritten digit on a sheet or board, with the true stroke as a mask.

photo(seed) is deterministic; seeds 0 to 199 are the set. The sheet (lines, dots, margin, holes, table) is evaluated
through the inverse of the homography that carries the digit's strokes; then ink, light, blur, noise and JPEG. The mask
is the antialiased pen path before any blur: a ballpoint's skips are not in it, the grain of pencil and chalk is.
"""

# fmt: off
import io
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

Rng = np.random.Generator
SS = 3  # supersampling of the pen path
# Hand styles of 0 to 9, apart by "|": points "x,y" in a box of 60 by 100 (y down), "/" a corner, ";" lifts the pen.
GLYPHS = [
    "30,0 9,16 2,50 10,84 30,100 50,85 58,50 51,15 31,0 | 40,5 26,0 9,16 2,52 11,88 30,100 50,86 57,52 50,18 34,2 "
    "22,4 | 26,1 6,26 3,62 18,96 40,97 56,70 56,34 44,8 27,1",
    "31,0 30,50 29,100 | 8,30 20,17 32,0/31,50 31,100 | 10,24 32,0/31,50 31,99;10,100 30,99 54,100 | 16,16 "
    "31,0/30,50 28,100",
    "5,22 14,5 33,0 51,11 52,31 37,56 4,97/32,97 58,95 | 7,19 20,2 42,2 54,19 47,45 27,74 9,95 3,89 12,81 24,87 "
    "40,97 59,93 | 6,12 26,0 48,6 53,26 42,50 3,99/30,97 60,99",
    "6,11 23,0 45,5 51,23 41,41 23,46/45,52 57,72 47,94 25,100 4,89 | 6,2 30,2 52,1/26,40/46,47 57,69 46,93 24,100 "
    "3,91 | 7,9 26,0 47,8 47,30 32,44 22,47 26,52 44,52 56,70 49,92 27,100 5,91",
    "15,0 9,32 3,59/30,59 59,57;44,26 42,62 41,100 | 42,0 22,33 2,67/30,67 60,65;42,1 41,50 40,100 | 12,2 8,28 "
    "8,47/28,51 48,48;50,1 48,50 46,100",
    "15,1 12,22 9,45/29,37 51,47 57,68 47,92 25,100 4,92;14,2 34,1 56,0 | 55,1 34,1 16,3/13,22 10,43/30,37 51,47 "
    "57,69 46,92 24,100 3,91 | 54,4 34,2 19,5 12,24 16,38 38,42 55,57 53,84 32,99 6,94",
    "45,1 23,21 6,55 10,87 29,100 50,90 55,71 42,55 21,59 8,76 | 34,0 15,28 4,66 14,95 35,99 53,83 48,60 28,54 10,68 "
    "6,80 | 52,9 36,1 16,17 4,54 10,89 31,100 52,87 53,65 36,53 16,61 7,76",
    "4,3 30,4 57,2/40,40 22,100 | 4,3 30,4 57,2/38,45 22,100;16,52 34,50 53,49 | 5,16 7,3/30,5 56,2/37,42 26,75 "
    "24,100",
    "50,15 33,0 14,8 13,28 31,45 51,63 52,86 31,100 9,90 8,68 29,47 48,31 50,14 | 30,0 14,8 12,27 29,45 47,29 46,8 "
    "31,0;29,45 9,57 5,79 28,100 53,84 51,59 30,45 | 46,9 28,0 12,13 19,34 42,55 55,77 41,97 16,97 5,78 20,56 42,37 "
    "52,16 43,4",
    "52,19 38,1 16,5 5,25 14,46 34,47 49,30 53,17/51,55 45,100 | 51,13 31,0 10,11 6,33 21,49 41,42 52,16/54,50 44,86 "
    "26,100 9,93 | 53,7 30,0 9,14 6,35 21,48 42,40 53,8/50,55 49,100",
]
PAPERS = dict(white=.17, cream=.09, recycled=.1, ruled=.17, squared=.13, dotted=.08, graph=.08,
              whiteboard=.07, blackboard=.06, transparency=.05)
PENS = dict(felt=.24, ballpoint=.26, pencil=.2, red=.15, marker=.15)
LIGHTS = dict(even=.2, vignette=.14, gradient=.18, shadow=.2, warm=.13, under=.08, over=.07)
PEN_SIZE = dict(felt=(1.2, .027, .037), ballpoint=(.7, .021, .027), pencil=(.7, .022, .029), red=(.8, .021, .03),
                marker=(3., .037, .046), chalk=(9., .031, .044), whiteink=(2., .029, .042))  # mm, share of height
COLOURS = dict(felt=[(.10, .10, .11), (.13, .12, .16)], ballpoint=[(.13, .19, .55), (.10, .14, .42), (.2, .27, .62)],
               red=[(.78, .13, .15), (.70, .10, .18)], marker=[(.08, .08, .09), (.1, .2, .55), (.05, .38, .25)],
               line=[(.60, .70, .88), (.66, .76, .88), (.58, .74, .84), (.72, .74, .80)], pencil=[(0., 0., 0.)],
               graph=[(.93, .68, .52), (.60, .80, .66), (.62, .74, .90)], board=[(.15, .25, .21), (.17, .18, .19)],
               table=[(.55, .40, .27), (.42, .31, .22), (.45, .46, .48), (.70, .58, .43)],
               dark=[(.12, .11, .11), (.17, .13, .10), (.10, .12, .15)],
               chalk=[(.93, .93, .9)], whiteink=[(.95, .95, .94)])

@dataclass(frozen=True)
class Photo:
    """One photograph: its JPEG bytes, the true stroke (H, W), the digit, and what it shows."""
    jpeg: bytes; mask: np.ndarray; label: int; kind: str  # noqa: E702

@dataclass(frozen=True)
class Frame:
    """Size of the picture, homography from the sheet to it, pixels per millimetre, sheet coordinates (H, W)."""
    w: int; h: int; m: np.ndarray; ppm: float; u: np.ndarray; v: np.ndarray  # noqa: E702

def _pick(rng: Rng, table: dict[str, float]) -> str:
    """A key of the table, drawn by its weights."""
    return str(rng.choice(list(table), p=np.array(list(table.values())) / sum(table.values())))

def _colour(rng: Rng, name: str) -> np.ndarray:
    """One of the colours of that name."""
    return np.array(COLOURS[name][int(rng.integers(len(COLOURS[name])))])

def _noise(rng: Rng, fr: Frame, cell: float, wide: float = 1.) -> np.ndarray:
    """Smooth noise of unit deviation, its features about `cell` pixels high and `wide` times as wide."""
    size = max(2, round(fr.h / cell) + 1), max(2, round(fr.w / cell / wide) + 1)
    small = Image.fromarray(rng.normal(size=size).astype(np.float32))
    out = np.asarray(small.resize((fr.w, fr.h), Image.Resampling.BICUBIC), dtype=np.float64)
    return np.asarray((out - out.mean()) / (out.std() + 1e-9))

def _spline(p: np.ndarray) -> np.ndarray:
    """Points of a Catmull-Rom spline through p (n, 2); a closed form runs on smoothly."""
    closed = len(p) > 4 and np.hypot(*(p[0] - p[-1])) < 4
    q = np.vstack([p[-2] if closed else 2 * p[0] - p[1], p, p[1] if closed else 2 * p[-1] - p[-2]])
    t = np.linspace(0, 1, 24, endpoint=False)[:, None]
    out = [.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
           for a, b, c, d in zip(q[:-3], q[1:-2], q[2:-1], q[3:], strict=True)]
    return np.vstack([*out, p[-1:]])

def _resample(p: np.ndarray, n: int) -> np.ndarray:
    """n points evenly along the polyline p."""
    s = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(p, axis=0).T))])
    return np.stack([np.interp(np.linspace(0, s[-1], n), s, x) for x in p.T], axis=1)

def _digit(rng: Rng, label: int) -> list[np.ndarray]:
    """The strokes of one digit in a hand's own way: style, jitter, wobble, aspect and slant; height about 1."""
    aspect, slant, strokes = rng.uniform(.82, 1.15), np.tan(np.radians(rng.normal(7, 7))), []
    for part in str(rng.choice(GLYPHS[label].split("|"))).split(";"):
        pieces: list[np.ndarray] = []
        for piece in part.split("/"):
            pts = np.array([[float(c) for c in xy.split(",")] for xy in piece.split()])
            pts += rng.normal(0, 1.3, pts.shape) * (1 if len(pts) > 2 or pieces else .5)
            pieces.append(_spline(np.vstack([pieces[-1][-1], pts]) if pieces else pts))
        p = _resample(np.vstack(pieces), 500)
        s = np.linspace(0, np.hypot(*np.diff(p, axis=0).T).sum() / 100, len(p))
        for freq, amp in ((.8, .8), (2.1, .45), (5., .14)):
            p += amp * np.sin(2 * np.pi * (freq * s[:, None] + rng.uniform(size=2)))
        strokes.append((p - [30, 50]) @ np.array([[aspect, 0], [-slant, 1]]) / 100)
    return strokes

def _project(m: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Points p (n, 2) carried through the homography m."""
    q = np.column_stack([p, np.ones(len(p))]) @ m.T
    return np.asarray(q[:, :2] / q[:, 2:])

def _frame(rng: Rng, pen: str, extra: str) -> tuple[Frame, float]:
    """A picture's frame and the width of the pen in pixels."""
    long, aspect = rng.uniform(300, 900), rng.uniform(.95 if extra == "holes" else .72, 1.3)
    w, h = round(long * min(1, aspect)), round(long / max(1, aspect))
    width, a = h * rng.uniform(*PEN_SIZE[pen][1:]), np.radians(np.clip(rng.normal(0, 5), -12, 12))
    rot = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    persp = np.array([[1, 0, w / 2], [0, 1, h / 2], [0, 0, 1]]) @ np.vstack(
        [np.eye(3)[:2], [*rng.uniform(-.13, .13, 2) / max(w, h), 1]])
    yy, xx = np.mgrid[:h, :w] + .5
    uv = _project(np.linalg.inv(persp @ rot), np.column_stack([xx.ravel(), yy.ravel()])).reshape(h, w, 2)
    return Frame(w, h, persp @ rot, width / PEN_SIZE[pen][0], uv[..., 0], uv[..., 1]), width

def _place(rng: Rng, fr: Frame, strokes: list[np.ndarray], width: float, room: np.ndarray) -> list[np.ndarray]:
    """The strokes in picture coordinates, sized and set freely inside `room` (left, top, right, bottom shares)."""
    size, tall = np.array([fr.w, fr.h]), rng.uniform(.36, .79) * fr.h - width
    done = [_project(fr.m, s * tall) for s in strokes]
    lo, hi = np.vstack(done).min(axis=0), np.vstack(done).max(axis=0)
    free = size * (1 - room[:2] - room[2:]) - width - 1
    k = min(tall / (hi[1] - lo[1]), *free / np.maximum(1, hi - lo))
    at = room[:2] * size + width / 2 + (free - k * (hi - lo)) * rng.beta(2.2, 2.2, 2)
    return [(d - lo) * k + at for d in done]

def _stamp(rng: Rng, fr: Frame, strokes: list[np.ndarray], width: float, pen: str) -> tuple[np.ndarray, np.ndarray]:
    """Cover of each pixel by the pen's path, and the density of ink there, both 0 to 1."""
    images = [Image.new("L", (fr.w * SS, fr.h * SS), v) for v in (0, 255, 0)]
    cover, dens, skip = (ImageDraw.Draw(i).ellipse for i in images)
    for s in strokes:
        length, px = np.hypot(*np.diff(s, axis=0).T).sum(), width * SS
        n = max(12, int(length * SS / max(1., .16 * px)))
        p, t = _resample(s, n) * SS, np.linspace(0, length / fr.h, n)
        r = px / 2 * (1 + .09 * np.sin(2 * np.pi * (2.2 * t + rng.uniform())) + .03 * rng.normal())
        if pen in ("ballpoint", "pencil", "red"):
            r[-max(2, n // 25):] *= np.linspace(1, .7, max(2, n // 25))  # the pen lifts
        d = 255 * (.88 + .12 * np.sin(2 * np.pi * (1.7 * t + rng.uniform())))
        for (x, y), q, f in zip(p, r, d, strict=True):
            cover((x - q, y - q, x + q, y + q), fill=255)
            dens((x - q - SS, y - q - SS, x + q + SS, y + q + SS), fill=int(f))
        for _ in range(int(rng.poisson(1.6)) if pen == "ballpoint" else 0):  # streaks, seldom a whole skip
            i, whole = int(rng.integers(n)), rng.uniform() < .12
            rad, off = px * (.5 if whole else rng.uniform(.1, .24)), rng.normal(0, .17 * px, 2) * (not whole)
            for x, y in p[i:i + (4 if whole else int(rng.uniform(5, 30)))] + off:
                skip((x - rad, y - rad, x + rad, y + rad), fill=255)
    c, f, e = (np.asarray(i.reduce(SS), dtype=np.float64) / 255 for i in images)
    return c * (1 - np.clip(2.5 * e + .6 * e * _noise(rng, fr, max(1.3, width / 5)) - .75, 0, 1)), f

def _lines(fr: Frame, axes: str, pitch: float, width: float, at: np.ndarray) -> np.ndarray:
    """Antialiased cover of printed lines every `pitch` along the axes."""
    d = [np.abs((x - p + pitch / 2) % pitch - pitch / 2)
         for a, x, p in zip("uv", (fr.u, fr.v), at, strict=True) if a in axes]
    return np.asarray(np.clip(width / 2 + .5 - np.minimum.reduce(d), 0, min(1., width)))

def _printed(rng: Rng, fr: Frame, paper: str, img: np.ndarray) -> np.ndarray:
    """The sheet with its printed lines, squares or dots."""
    mm, line, at = fr.ppm, _colour(rng, "graph" if paper == "graph" else "line"), rng.uniform(0, 10, 2) * fr.ppm
    thin, a = mm * rng.uniform(.13, .22), np.zeros_like(fr.u)
    if paper == "ruled":
        a = _lines(fr, "v", rng.choice([7., 8., 9.]) * mm, thin * 1.2, at)
    elif paper == "squared":
        a = _lines(fr, "uv", 5 * mm, thin, at) * rng.uniform(.7, 1)
    elif paper == "dotted":
        d = np.hypot(*(np.abs((x - p) % (5 * mm) - 2.5 * mm) for x, p in zip((fr.u, fr.v), at, strict=True)))
        a, line = np.clip(.3 * mm + .5 - d, 0, 1), np.array((.58, .60, .64))
    elif paper == "graph":
        a = np.maximum(.45 * _lines(fr, "uv", mm, .09 * mm, at), .8 * _lines(fr, "uv", 5 * mm, .16 * mm, at))
    img = img + a[..., None] * (np.minimum(line, img) - img)
    if paper == "ruled" and rng.uniform() < .6:
        d = np.abs(fr.u - np.quantile(fr.u, rng.uniform(.07, .14)))
        img = img + np.clip(thin / 2 + .5 - d, 0, min(1., thin))[..., None] * .85 * (np.array((.90, .50, .52)) - img)
    return img

def _table(rng: Rng, fr: Frame, dark: bool) -> np.ndarray:
    """A table top: wood, grey, or dark."""
    grain = _noise(rng, fr, fr.h / 12) + np.sin(fr.v / fr.h * 70 + 2 * _noise(rng, fr, fr.h / 4))
    return np.asarray(_colour(rng, "dark" if dark else "table") * (1 + .04 * grain)[..., None])

def _sheet(rng: Rng, fr: Frame, paper: str) -> np.ndarray:
    """The bare paper or board in its own colour, (H, W, 3) of 0 to 1."""
    cloud, tooth = _noise(rng, fr, fr.h / 5), _noise(rng, fr, max(1.5, fr.h / 250))
    if paper == "transparency":
        return .93 * _table(rng, fr, True) + .05 + (.008 * cloud)[..., None]
    if paper == "blackboard":  # wiped along one way
        wiped = .012 * cloud + .014 * _noise(rng, fr, fr.h / 18, 8) + .009 * tooth + .03
        return _colour(rng, "board") + wiped[..., None]
    if paper == "whiteboard":
        return np.array((.90, .91, .92)) * (1 + .008 * cloud + .004 * tooth)[..., None]
    if paper == "recycled":
        speck, col = _noise(rng, fr, max(2., fr.ppm * .35)), rng.uniform(.70, .78) * np.array((1., .985, .95))
        flecks = -.10 * np.clip(speck - 2.3, 0, 1) + .05 * np.clip(-speck - 2.3, 0, 1)
        return col * (1 + .015 * cloud + .022 * tooth + .012 * _noise(rng, fr, fr.h / 60) + flecks)[..., None]
    col = np.array((.95, .90, .79) if paper == "cream" else (.94, .94, .93)) * rng.uniform(.96, 1.01)
    return _printed(rng, fr, paper, col * (1 + .006 * cloud + .009 * tooth)[..., None])

def _around(rng: Rng, fr: Frame, img: np.ndarray, extra: str, room: np.ndarray) -> np.ndarray:
    """The table beyond the sheet's edge or through a hole, where `extra` has one; widens `room` on those sides."""
    table, side, low = _table(rng, fr, bool(rng.uniform() < .3)), int(rng.integers(2)), int(rng.integers(2))
    x, y = fr.u * (1 - 2 * side), fr.v * (1 - 2 * low)
    if extra == "holes":
        r = 2.9 * fr.ppm
        dx, dy = x - np.quantile(x, .02) - r * rng.uniform(.7, 1.1), y - rng.uniform(-.3, .3) * fr.h
        room[2 * side], out = min(.34, (2.2 * r + .1 * fr.h) / fr.w), r - np.hypot(dx, dy)
        table = table * (.4 + .5 * np.clip(9 - 9 * np.hypot(dx - .2 * r, dy - .25 * r) / r, 0, 1))[..., None]
    elif extra == "edge":
        room[2 * side], out = .15, np.quantile(x, rng.uniform(.02, .045)) - x
        if rng.uniform() < .6:
            room[1 + 2 * low], out = .14, np.maximum(out, np.quantile(y, rng.uniform(.015, .035)) - y)
        table = table * (1 - .5 * np.exp(-np.clip(out, 0, None) / (.018 * fr.h)))[..., None]
    else:
        return img
    return np.asarray(img + np.clip(out + .5, 0, 1)[..., None] * (table - img))

def _light(rng: Rng, fr: Frame, light: str, paper: str) -> np.ndarray:
    """The light on each pixel and channel, about 1 where full."""
    yy, xx = np.mgrid[-1:1:fr.h * 1j, -1:1:fr.w * 1j]
    r2, a = (xx - rng.normal(0, .15))**2 + (yy - rng.normal(0, .15))**2, rng.uniform(0, 2 * np.pi)
    s, sh = xx * np.cos(a) + yy * np.sin(a), np.zeros_like(xx)
    g, tint = rng.uniform(.92, 1.) * (1 - rng.uniform(0, .05) * r2), 1 + rng.normal(0, .011, 3)
    g = g * (1 - rng.uniform(.1, .2) * np.minimum(r2, 2.2) * (light == "vignette"))
    if light == "gradient":
        g = g * (1.02 - rng.uniform(.4, .58) * np.clip((s + 1.2) / 2.4, 0, 1) ** rng.uniform(.9, 1.4))
    elif light == "shadow":
        bend = .1 * np.sin(2 * (yy * np.cos(a) - xx * np.sin(a)) + rng.uniform(0, 6)) + rng.uniform(-.45, .45)
        sh = 1 / (1 + np.exp(-(s + bend) / rng.uniform(.018, .08)))
        g = g * (1 - rng.uniform(.3, .48) * sh)
    elif light in ("under", "over"):
        g = g * (rng.uniform(.6, .76) if light == "under" else rng.uniform(1.1, 1.18))
    elif light == "warm":
        tint = tint * np.array((1.03, rng.uniform(.9, .95), rng.uniform(.68, .82)))
    if paper in ("whiteboard", "transparency") and rng.uniform() < .5:  # a soft reflection of a lamp
        d2 = (xx - rng.uniform(-.8, .8))**2 + (yy - rng.uniform(-.8, .8))**2
        g = g * (1 + (.14 if paper == "whiteboard" else .8) * np.exp(-d2 / .25))
    return np.asarray(g[..., None] * (tint + sh[..., None] * np.array((-.02, 0., .03))))

def _expose(rng: Rng, fr: Frame, sheet: np.ndarray, inks: list[np.ndarray], pen: str, light: np.ndarray) -> np.ndarray:
    """Ink on the sheet in its light; a faint pencil is pressed harder until it shows by 12 % of the range."""
    cover, dens, own = inks
    ink, press, tooth = _colour(rng, pen), rng.uniform(.17, .42), _noise(rng, fr, max(1.4, fr.h / 280))
    grain = np.clip(.97 + .04 * tooth, .8, 1)
    if pen in ("pencil", "chalk"):
        tooth = tooth if pen == "pencil" else .8 * tooth + .7 * _noise(rng, fr, max(1.8, fr.h / 130))
        grain = np.clip(.82 + .2 * tooth, .4, 1) if pen == "pencil" else np.clip(.78 + .27 * tooth, .25, 1)
    alpha, bare = (cover * dens * grain)[..., None], np.clip(sheet * light, 0, 1)
    while True:
        tone = np.clip(sheet - press * np.array((1, 1, .96)), .12, 1) if pen == "pencil" else ink
        img = np.clip((sheet * (1 - alpha) + tone * alpha) * light, 0, 1)
        if pen != "pencil" or press > .8 or np.quantile((bare - img).mean(axis=2)[own > .8], .3) >= .12:
            return np.asarray(img)
        press *= 1.12

def _camera(rng: Rng, img: np.ndarray) -> bytes:
    """The JPEG file after blur, phone sharpening and sensor noise."""
    h, w = img.shape[:2]
    if rng.uniform() < .25:  # slight motion
        a, big = rng.uniform(0, np.pi), np.pad(img, ((4, 4), (4, 4), (0, 0)), mode="edge")
        at = [(4 + round(k * np.cos(a)), 4 + round(k * np.sin(a))) for k in range(-1, int(rng.integers(2, 4)))]
        img = np.mean([big[y:y + h, x:x + w] for x, y in at], axis=0)
    defocus = ImageFilter.GaussianBlur(rng.uniform(0, 1.5) * min(1., h / 480))
    pic = Image.fromarray((img * 255 + .5).astype(np.uint8)).filter(defocus)
    if rng.uniform() < .4:
        pic = pic.filter(ImageFilter.UnsharpMask(1.5, int(rng.uniform(30, 80)), 2))
    x, level, buf = np.asarray(pic, dtype=np.float64) / 255, rng.uniform(.004, .02), io.BytesIO()
    x = x + level * np.sqrt(.25 + x) * (.8 * rng.normal(size=(h, w, 1)) + .5 * rng.normal(size=x.shape))
    Image.fromarray((np.clip(x, 0, 1) * 255 + .5).astype(np.uint8)).save(buf, "JPEG", quality=int(rng.integers(40, 96)))
    return buf.getvalue()

def photo(seed: int) -> Photo:
    """The photograph of this seed; every ten seeds hold each digit once."""
    rng, label = np.random.default_rng(71_000 + seed), (seed * 7 + seed // 10 * 3) % 10
    paper, light, extra, low = _pick(rng, PAPERS), _pick(rng, LIGHTS), "", int(rng.integers(2))
    pen = {"whiteboard": "marker", "blackboard": "chalk", "transparency": "whiteink"}.get(paper) or _pick(rng, PENS)
    if rng.uniform() < (.4 if paper == "transparency" else .17):
        sole = {"whiteboard": "neighbour", "blackboard": "neighbour", "transparency": "edge"}
        extra = sole.get(paper) or str(rng.choice(["edge", "holes", "neighbour"]))
    (fr, width), room = _frame(rng, pen, extra), np.full(4, .04)
    sheet, strokes = _around(rng, fr, _sheet(rng, fr, paper), extra, room), _digit(rng, label)
    if extra == "neighbour":
        room[1 + 2 * low] = .17
    own, dens = _stamp(rng, fr, _place(rng, fr, strokes, width, room), width, pen)
    inks = [own, dens, own]
    if extra == "neighbour":  # a part of the digits of the line above or below looks in at the border
        size, step = fr.h * rng.uniform(.3, .42), rng.uniform(.75, 1.)
        y, x0 = (low - .5) * fr.h + (2 * low - 1) * (.5 * size - .08 * fr.h), rng.uniform(-.5, .5)
        line = [_project(fr.m, s * size + [size * step * (x0 + i), y + rng.normal(0, .006 * fr.h)])
                for i in range(-4, 5) if rng.uniform() < .6 for s in _digit(rng, int(rng.integers(10)))]
        more, dens2 = _stamp(rng, fr, line, width, pen)
        inks = [np.maximum(own, more), np.where(more > own, dens2, dens), own]
    img = _expose(rng, fr, sheet, inks, pen, _light(rng, fr, light, paper))
    return Photo(_camera(rng, img), own >= .5, label, "/".join(filter(None, (paper, pen, light, extra))))
