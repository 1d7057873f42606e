"""Light on skin, eyes, teeth, hair and cloth: one pass over the visible pixels (numba)."""

import numpy as np
from numpy.typing import NDArray

from hifi_portrait.head.arrays import FloatArray
from hifi_portrait.head.compiled import compiled
from hifi_portrait.synthetic.body_mesh import BODY, CLOTH, EYE, FRAME, HAIR, LASH, MOUTH, SKIN, TEETH

Doubles = NDArray[np.float64]


@compiled(fastmath=True, nogil=True)
def _step(value: float, low: float, high: float) -> float:
    t = min(max((value - low) / (high - low), 0.0), 1.0)
    return t * t * (3.0 - 2.0 * t)


@compiled(fastmath=True, nogil=True)
def _texel(texture: FloatArray, u: float, v: float, out: Doubles) -> None:
    rows, columns = texture.shape[0], texture.shape[1]
    x = min(max(u * columns - 0.5, 0.0), columns - 1.001)
    y = min(max(v * rows - 0.5, 0.0), rows - 1.001)
    i = int(x)
    j = int(y)
    fx = x - i
    fy = y - j
    for c in range(3):
        low = texture[j, i, c] * (1 - fx) + texture[j, i + 1, c] * fx
        high = texture[j + 1, i, c] * (1 - fx) + texture[j + 1, i + 1, c] * fx
        out[c] = low * (1 - fy) + high * fy


@compiled(fastmath=True, nogil=True)
def _tooth(arc: float, height: float, widths: Doubles, out: Doubles) -> float:
    """Colour of a tooth or the gum; returns how deep in the mouth the place is, 0 to 1."""
    place = abs(arc)
    start = 0.0
    gap = 9.0
    middle = 0.0
    for k in range(widths.shape[0]):
        end = start + widths[k]
        if place < end or k == widths.shape[0] - 1:
            gap = min(place - start, end - place)
            middle = (place - start) / widths[k]
            break
        start = end
    line = _step(gap, 0.05, 0.75)
    gum_line = 10.5 - 2.2 * (2.0 * middle - 1.0) ** 2
    gum = _step(height, gum_line - 0.4, gum_line + 0.4)
    shade = (0.35 + 0.65 * line) * (0.80 + 0.20 * _step(height, -0.5, 2.0))
    out[0] = 0.78 * shade * (1 - gum) + 0.42 * gum
    out[1] = 0.74 * shade * (1 - gum) + 0.15 * gum
    out[2] = 0.64 * shade * (1 - gum) + 0.15 * gum
    return _step(place, 13.0, 34.0)


@compiled(fastmath=True, nogil=True)
def _lit(
    shadows: FloatArray,
    transform: Doubles,
    light: int,
    x: float,
    y: float,
    z: float,
    spread: float,
    bias: float,
    taps: Doubles,
) -> float:
    """Fraction of a light that reaches a point, from its shadow map read at ``taps`` (T, 3)."""
    size = shadows.shape[1]
    u = (
        transform[light, 0, 0] * x
        + transform[light, 0, 1] * y
        + transform[light, 0, 2] * z
        + transform[light, 0, 3]
    )
    v = (
        transform[light, 1, 0] * x
        + transform[light, 1, 1] * y
        + transform[light, 1, 2] * z
        + transform[light, 1, 3]
    )
    w = (
        transform[light, 2, 0] * x
        + transform[light, 2, 1] * y
        + transform[light, 2, 2] * z
        + transform[light, 2, 3]
    )
    slope = 0.0004 * spread
    total = 0.0
    for k in range(taps.shape[0]):
        i = int(u + spread * taps[k, 0])
        j = int(v + spread * taps[k, 1])
        if i < 0 or j < 0 or i >= size or j >= size or shadows[light, j, i] < w + bias + slope * taps[k, 2]:
            total += 1.0
    share: float = total / taps.shape[0]
    return share


@compiled(fastmath=True, nogil=True)
def _ambient_light(harmonics: Doubles, channel: int, x: float, y: float, z: float) -> float:
    """Light from all around on a surface that faces (x, y, z), from its spherical harmonics; not negative."""
    c = channel
    value: float = (
        0.282095 * harmonics[0, c]
        + 0.488603 * (harmonics[1, c] * y + harmonics[2, c] * z + harmonics[3, c] * x)
        + 1.092548 * (harmonics[4, c] * x * y + harmonics[5, c] * y * z + harmonics[7, c] * x * z)
        + 0.315392 * harmonics[6, c] * (3.0 * z * z - 1.0)
        + 0.546274 * harmonics[8, c] * (x * x - y * y)
    )
    return max(value, 0.0)


@compiled(fastmath=True, nogil=True)
def shade(
    triangle_id: NDArray[np.int32],
    weights: FloatArray,
    inverse_depth: FloatArray,
    triangles: NDArray[np.int32],
    material: NDArray[np.int32],
    vertices: FloatArray,
    normals: FloatArray,
    attributes: FloatArray,
    tones: FloatArray,
    skin_texture: FloatArray,
    eye_texture: FloatArray,
    palette: Doubles,
    shine: float,
    lights: Doubles,
    light_rgb: Doubles,
    shadow_transform: Doubles,
    shadows: FloatArray,
    shadow_spread: Doubles,
    shadow_taps: Doubles,
    sky: Doubles,
    ground: Doubles,
    catch_light: Doubles,
    tooth_widths: Doubles,
    irradiance: FloatArray,
    albedo: FloatArray,
    specular: FloatArray,
    ambient: Doubles | None = None,
) -> None:
    """Light every visible pixel.

    Parameters
    ----------
    triangle_id, weights
        (H, W), (H, W, 2) from the rasteriser.
    inverse_depth, vertices, normals, attributes, tones
        (N,), (N, 3), (N, 3), (N, 3), (N,) of the meshes.
    triangles, material
        (F, 3), (F,)
    skin_texture, eye_texture
        Reflectances.
    palette
        (9, 3) base colour of each material.
    shine
        Strength of the skin's highlights.
    lights, light_rgb, shadow_transform, shadows, shadow_spread
        (L, 3), (L, 3), (L, 3, 4), (L, S, S), (L,)
    shadow_taps
        (16, T, 3) where shadow maps are read: places in a disc of radius 1, and how far from its middle.
    sky, ground
        (3,) light from above and from below.
    catch_light
        (3,) direction of the light that eyes mirror.
    irradiance, albedo, specular
        (H, W, 3), written here: the picture is ``albedo * irradiance + specular``.
    ambient
        (9, 3) spherical harmonics of the light from all around in place of ``sky`` and ``ground``, or None.
    """
    height, width = triangle_id.shape
    rgb = np.zeros(3)
    for j in range(height):
        for i in range(width):
            f = triangle_id[j, i]
            if f < 0:
                continue
            a = triangles[f, 0]
            b = triangles[f, 1]
            c = triangles[f, 2]
            w1 = weights[j, i, 0]
            w2 = weights[j, i, 1]
            w0 = (1.0 - w1 - w2) * inverse_depth[a]
            w1 = w1 * inverse_depth[b]
            w2 = w2 * inverse_depth[c]
            s = 1.0 / (w0 + w1 + w2)
            w0 *= s
            w1 *= s
            w2 *= s
            m = material[f]
            px = w0 * vertices[a, 0] + w1 * vertices[b, 0] + w2 * vertices[c, 0]
            py = w0 * vertices[a, 1] + w1 * vertices[b, 1] + w2 * vertices[c, 1]
            pz = w0 * vertices[a, 2] + w1 * vertices[b, 2] + w2 * vertices[c, 2]
            nx = w0 * normals[a, 0] + w1 * normals[b, 0] + w2 * normals[c, 0]
            ny = w0 * normals[a, 1] + w1 * normals[b, 1] + w2 * normals[c, 1]
            nz = w0 * normals[a, 2] + w1 * normals[b, 2] + w2 * normals[c, 2]
            ax = w0 * attributes[a, 0] + w1 * attributes[b, 0] + w2 * attributes[c, 0]
            ay = w0 * attributes[a, 1] + w1 * attributes[b, 1] + w2 * attributes[c, 1]
            az = w0 * attributes[a, 2] + w1 * attributes[b, 2] + w2 * attributes[c, 2]
            tone = w0 * tones[a] + w1 * tones[b] + w2 * tones[c]
            s = 1.0 / np.sqrt(nx * nx + ny * ny + nz * nz + 1e-12)
            nx *= s
            ny *= s
            nz *= s
            s = -1.0 / np.sqrt(px * px + py * py + pz * pz)
            vx = px * s
            vy = py * s
            vz = pz * s
            facing = nx * vx + ny * vy + nz * vz
            if m == CLOTH and facing < 0.0:
                nx = -nx
                ny = -ny
                nz = -nz
                facing = -facing

            for k in range(3):
                rgb[k] = palette[m, k] * tone
            rough = 0.45
            f0 = 0.028 * shine
            wrap_r = 0.0
            wrap_g = 0.0
            wrap_b = 0.0
            open_fraction = 1.0
            if m == SKIN:
                _texel(skin_texture, ax, ay, rgb)
            elif m == EYE:
                _texel(eye_texture, ax * 0.5 + 0.5, az * 0.5 + 0.5, rgb)
                rough = 0.12
                f0 = 0.04
                wrap_r = wrap_g = wrap_b = 0.35
            elif m == TEETH:
                open_fraction = 1.05 - 0.7 * _tooth(ax, ay, tooth_widths, rgb)
                rough = 0.25
                f0 = 0.035
                wrap_r = wrap_g = wrap_b = 0.3
            elif m == MOUTH:
                open_fraction = 0.5
                rough = 0.35
            elif m == LASH:
                f0 = 0.0
            elif m == CLOTH:
                f0 = 0.008
                rough = 0.8
                fold = np.sin(ax * 70.0 + 2.0 * np.sin(az * 45.0)) * np.sin(
                    az * 60.0 + 1.5 * np.sin(ax * 38.0)
                )
                open_fraction = 1.0 + 0.07 * fold * _step(-az, 0.13, 0.20)
                wrap_r = wrap_g = wrap_b = 0.12
            elif m == FRAME:
                f0 = 0.05
                rough = 0.22
            if m in (SKIN, BODY):
                wrap_r = 0.32
                wrap_g = 0.15
                wrap_b = 0.10

            dr = 0.0
            dg = 0.0
            db = 0.0
            sr = 0.0
            sg = 0.0
            sb = 0.0
            taps = shadow_taps[(i * 7 + j * 13) & 15]
            bias = 0.010 if m == HAIR else 0.004
            for k in range(lights.shape[0]):
                lx = lights[k, 0]
                ly = lights[k, 1]
                lz = lights[k, 2]
                ndl = nx * lx + ny * ly + nz * lz
                reach = 0.0
                if ndl > -0.35 or m == HAIR:
                    reach = _lit(
                        shadows,
                        shadow_transform,
                        k,
                        px + nx * 0.0015,
                        py + ny * 0.0015,
                        pz + nz * 0.0015,
                        shadow_spread[k],
                        bias,
                        taps,
                    )
                if m == HAIR:
                    along_light = ax * lx + ay * ly + az * lz
                    along_view = ax * vx + ay * vy + az * vz
                    across_light = np.sqrt(max(0.0, 1.0 - along_light * along_light))
                    across_view = np.sqrt(max(0.0, 1.0 - along_view * along_view))
                    front = max(0.0, min(1.0, 0.50 + 0.60 * ndl))
                    diffuse = across_light * front * 0.85
                    glint = max(0.0, across_light * across_view - along_light * along_view)
                    gloss = glint**40 * 0.060 + glint**8 * 0.016
                    reach = 0.15 + 0.85 * reach
                    dr += light_rgb[k, 0] * diffuse * reach
                    dg += light_rgb[k, 1] * diffuse * reach
                    db += light_rgb[k, 2] * diffuse * reach
                    sr += light_rgb[k, 0] * gloss * front * reach
                    sg += light_rgb[k, 1] * gloss * front * reach
                    sb += light_rgb[k, 2] * gloss * front * reach
                    continue
                if m == TEETH:
                    reach = 0.5 + 0.5 * reach
                if m == EYE:
                    reach = 0.35 + 0.65 * reach
                red = reach if reach == 0.0 or reach == 1.0 else reach**0.8
                dr += light_rgb[k, 0] * max(0.0, (ndl + wrap_r) / (1 + wrap_r)) * red
                dg += light_rgb[k, 1] * max(0.0, (ndl + wrap_g) / (1 + wrap_g)) * reach
                db += light_rgb[k, 2] * max(0.0, (ndl + wrap_b) / (1 + wrap_b)) * reach
                if ndl > 0.0 and f0 > 0.0:
                    hx = lx + vx
                    hy = ly + vy
                    hz = lz + vz
                    s = 1.0 / np.sqrt(hx * hx + hy * hy + hz * hz + 1e-9)
                    nh = max(0.0, (nx * hx + ny * hy + nz * hz) * s)
                    vh = max(0.0, (vx * hx + vy * hy + vz * hz) * s)
                    nv = max(0.05, facing)
                    a2 = rough**4 + 0.002
                    lobe = a2 / (3.1416 * (nh * nh * (a2 - 1) + 1) ** 2)
                    fresnel = f0 + (1 - f0) * (1 - vh) ** 5
                    g = (rough + 1) ** 2 / 8
                    geometric = 1.0 / ((nv * (1 - g) + g) * (ndl * (1 - g) + g))
                    gloss = min(4.0, lobe * fresnel * geometric * 0.25 * ndl * reach * 1.57)
                    sr += light_rgb[k, 0] * gloss
                    sg += light_rgb[k, 1] * gloss
                    sb += light_rgb[k, 2] * gloss
            up = 0.5 + 0.5 * nz
            rim = 0.75 + 0.25 * max(0.0, facing)
            if ambient is not None:
                dr = (dr + _ambient_light(ambient, 0, nx, ny, nz) * rim) * open_fraction
                dg = (dg + _ambient_light(ambient, 1, nx, ny, nz) * rim) * open_fraction
                db = (db + _ambient_light(ambient, 2, nx, ny, nz) * rim) * open_fraction
            else:
                dr = (dr + (sky[0] * up + ground[0] * (1 - up)) * rim) * open_fraction
                dg = (dg + (sky[1] * up + ground[1] * (1 - up)) * rim) * open_fraction
                db = (db + (sky[2] * up + ground[2] * (1 - up)) * rim) * open_fraction
            if m == EYE:
                s = 2.0 * facing
                mirrored = (
                    (s * nx - vx) * catch_light[0]
                    + (s * ny - vy) * catch_light[1]
                    + (s * nz - vz) * catch_light[2]
                )
                spark = 1.5 * _step(mirrored, 0.930, 0.968)
                sr += spark
                sg += spark
                sb += spark
            elif m != HAIR and m != LASH and m != CLOTH and m != MOUTH:
                edge = 0.012 * (1 + 6 * (1 - max(0.0, facing)) ** 4) * shine
                sr += sky[0] * edge
                sg += sky[1] * edge
                sb += sky[2] * edge
            irradiance[j, i, 0] = dr
            irradiance[j, i, 1] = dg
            irradiance[j, i, 2] = db
            specular[j, i, 0] = sr
            specular[j, i, 1] = sg
            specular[j, i, 2] = sb
            albedo[j, i, 0] = rgb[0]
            albedo[j, i, 1] = rgb[1]
            albedo[j, i, 2] = rgb[2]
