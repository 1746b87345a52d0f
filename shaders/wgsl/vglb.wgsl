// Puts a LUT strip on a picture: WebGPU. Entry points: `fragment_main`, drawn over the whole target with
// `vertex_main` and three vertices, and `compute_main`, one work group for each 8x128 pixels. Picture and target are of
// the same size. The textures are bound as unfilterable float. Setup: docs/hosts/wgsl.md
// Written by `cargo xtask shaders` from shaders/core and shaders/templates; changes belong there.

// ---- Settings: constants that the pipeline can override ------------------------------------------------------------
// How the entries lie in the texture: 0 vglb (the default stream), 1 unreal, 2 unity, 3 hald-clut.
override VGLB_LAYOUT: i32 = 0;
// What the host has turned upside down: 0 nothing, 1 plain float textures, 2 byte planes, 3 both.
override VGLB_FLIP: i32 = 0;
// How much of the grade: 0.0 is the picture as it came, 1.0 the graded picture.
override VGLB_MIX: f32 = 1.0;
// 1 paints four bands, the entries for black, red, green and blue: the orientation check.
override VGLB_CHECK: i32 = 0;
// 0 tetrahedral, 1 trilinear.
override VGLB_TRILINEAR: i32 = 0;
// For pictures in linear light: the curve that the LUT expects (IN) and the one that it returns (OUT).
// 0 none, 1 sRGB, 2 ACEScct, 3 PQ. With PQ, linear 1.0 is VGLB_PQ_NITS cd/m2.
override VGLB_SHAPER_IN: i32 = 0;
override VGLB_SHAPER_OUT: i32 = 0;
override VGLB_PQ_NITS: f32 = 100.0;
// ------------------------------------------------------------------------------------------------------------------

@group(0) @binding(0) var picture: texture_2d<f32>;
@group(0) @binding(1) var lut_image: texture_2d<f32>;
@group(0) @binding(2) var graded: texture_storage_2d<rgba32float, write>;

// The floats whose bits are high*65536 + low. Adding 2^23 rounds to a whole number and leaves it in the low bits.
fn vglb_join(low: vec3<f32>, high: vec3<f32>) -> vec3<f32>
{
    let low_bits = bitcast<vec3<u32>>(low + vec3<f32>(8388608.0)) & vec3<u32>(65535u);
    let high_bits = bitcast<vec3<u32>>(high + vec3<f32>(8388608.0)) << vec3<u32>(16u);
    return bitcast<vec3<f32>>(high_bits | low_bits);
}

// Height of the plain texture: byte planes are four of them above each other. 0 where the size is no LUT's.
fn vglb_rows(size: vec2<i32>) -> i32
{
    let quarter: i32 = size.y / 4;
    let by_four: bool = quarter * 4 == size.y;
    if (VGLB_LAYOUT == 3) {
        return select(select(0, quarter, by_four && quarter == size.x), size.y, size.y == size.x);
    }
    return select(select(0, quarter, by_four && quarter * quarter == size.x), size.y, size.y * size.y == size.x);
}

// Grid size N of the LUT in a texture of this size; 0 where the size is no LUT's.
fn vglb_grid_size(size: vec2<i32>) -> i32
{
    let rows: i32 = vglb_rows(size);
    if (VGLB_LAYOUT == 3) {
        let level: i32 = i32(pow(f32(rows), 1.0 / 3.0) + 0.5);
        return select(0, level * level, level >= 2 && level * level * level == rows);
    }
    return select(0, rows, rows >= 2);
}

// Texel of lattice point r, g, b in a plain texture, rows counted from the first in memory.
fn vglb_texel(n: i32, node: vec3<i32>) -> vec2<i32>
{
    if (VGLB_LAYOUT == 1) {
        return vec2<i32>(node.z * n + node.x, node.y);
    }
    if (VGLB_LAYOUT == 2) {
        return vec2<i32>(node.z * n + node.x, n - 1 - node.y);
    }
    if (VGLB_LAYOUT == 3) {
        let level: i32 = i32(sqrt(f32(n)) + 0.5);
        let row: i32 = node.y / level;
        return vec2<i32>((node.y - row * level) * n + node.x, node.z * level + row);
    }
    return vec2<i32>(node.z * n + node.y, node.x);
}

// The same texel as the host sees it: where it has flipped the picture, rows count from the last in memory.
fn vglb_seen(size: vec2<i32>, at: vec2<i32>) -> vec2<i32>
{
    let kind: i32 = select(2, 1, vglb_rows(size) == size.y);
    if (VGLB_FLIP == kind || VGLB_FLIP == 3) {
        return vec2<i32>(at.x, size.y - 1 - at.y);
    }
    return at;
}

// Rows from one byte plane to the next, as the host sees them; 0 in a plain texture.
fn vglb_plane_step(size: vec2<i32>) -> i32
{
    let rows: i32 = vglb_rows(size);
    return select(select(rows, -rows, VGLB_FLIP >= 2), 0, rows == size.y);
}

// An entry from its four bytes.
fn vglb_entry_from_planes(lut: texture_2d<f32>, at: vec2<i32>, plane: i32) -> vec3<f32>
{
    let byte0: vec3<f32> = textureLoad(lut, at, 0).xyz;
    let byte1: vec3<f32> = textureLoad(lut, at + vec2<i32>(0, plane), 0).xyz;
    let byte2: vec3<f32> = textureLoad(lut, at + vec2<i32>(0, plane * 2), 0).xyz;
    let byte3: vec3<f32> = textureLoad(lut, at + vec2<i32>(0, plane * 3), 0).xyz;
    return vglb_join(byte0 * 255.0 + byte1 * 65280.0, byte2 * 255.0 + byte3 * 65280.0);
}

// Where a value lies on the lattice's axis: its cell, 0 to N-2, and how far into the cell it is, 0.0 to 1.0.
// NaN counts as 0. The value is cut into a coarse part of 12 bits and a rest, whose products with N-1 are exact in
// float32; so the fraction is as good as float32 can hold it, whether or not a compiler fuses products and sums. The
// limit of -1.0, which is never reached, keeps compilers from putting the two products together again. A value that is
// no further from a lattice point than its own rounding lies on it.
fn vglb_axis(value: f32, last: f32) -> vec2<f32>
{
    let c: f32 = select(0.0, select(1.0, value, value < 1.0), value > 0.0);
    let coarse: f32 = floor(c * 4096.0) * 0.000244140625;
    let nearest: f32 = floor(c * last + 0.5);
    let offset: f32 = max(coarse * last - nearest, -1.0) + (c - coarse) * last;
    let f: f32 = select(0.0, offset, abs(offset) > nearest * 0.000000059604644775390625);
    let below: bool = f < 0.0 || nearest == last;
    return vec2<f32>(select(nearest, nearest - 1.0, below), select(f, f + 1.0, below));
}

// Tetrahedral: along the edges of the largest, then the middle, then the smallest fraction.
fn vglb_tetrahedral(lut: texture_2d<f32>, f: vec3<f32>, at: vec2<i32>, step_r: vec2<i32>, step_g: vec2<i32>, step_b: vec2<i32>, plane: i32) -> vec3<f32>
{
    let rg: bool = f.x >= f.y;
    let gb: bool = f.y >= f.z;
    let rb: bool = f.x >= f.z;
    let opposite: vec2<i32> = at + step_r + step_g + step_b;
    let second: vec2<i32> = at + select(select(step_b, step_g, gb), select(step_b, step_r, rb), rg);
    let third: vec2<i32> = opposite - select(select(step_r, step_b, rb), select(step_g, step_b, gb), rg);

    let low: f32 = min(f.x, f.y);
    let high: f32 = max(f.x, f.y);
    let smallest: f32 = min(low, f.z);
    let largest: f32 = max(high, f.z);
    let middle: f32 = max(low, min(high, f.z));

    var e0: vec3<f32>;
    var e1: vec3<f32>;
    var e2: vec3<f32>;
    var e3: vec3<f32>;
    if (plane == 0) {
        e0 = textureLoad(lut, at, 0).xyz;
        e1 = textureLoad(lut, second, 0).xyz;
        e2 = textureLoad(lut, third, 0).xyz;
        e3 = textureLoad(lut, opposite, 0).xyz;
    } else {
        e0 = vglb_entry_from_planes(lut, at, plane);
        e1 = vglb_entry_from_planes(lut, second, plane);
        e2 = vglb_entry_from_planes(lut, third, plane);
        e3 = vglb_entry_from_planes(lut, opposite, plane);
    }
    return e0 * (1.0 - largest) + e1 * (largest - middle) + e2 * (middle - smallest) + e3 * smallest;
}

fn vglb_entry(lut: texture_2d<f32>, at: vec2<i32>, plane: i32) -> vec3<f32>
{
    if (plane == 0) {
        return textureLoad(lut, at, 0).xyz;
    }
    return vglb_entry_from_planes(lut, at, plane);
}

// Along one edge of the cell.
fn vglb_edge(lut: texture_2d<f32>, f: f32, at: vec2<i32>, along: vec2<i32>, plane: i32) -> vec3<f32>
{
    return vglb_entry(lut, at, plane) * (1.0 - f) + vglb_entry(lut, at + along, plane) * f;
}

// Trilinear: all eight corners of the cell.
fn vglb_trilinear(lut: texture_2d<f32>, f: vec3<f32>, at: vec2<i32>, step_r: vec2<i32>, step_g: vec2<i32>, step_b: vec2<i32>, plane: i32) -> vec3<f32>
{
    let front: vec3<f32> = vglb_edge(lut, f.x, at, step_r, plane) * (1.0 - f.y)
        + vglb_edge(lut, f.x, at + step_g, step_r, plane) * f.y;
    let back: vec3<f32> = vglb_edge(lut, f.x, at + step_b, step_r, plane) * (1.0 - f.y)
        + vglb_edge(lut, f.x, at + step_b + step_g, step_r, plane) * f.y;
    return front * (1.0 - f.z) + back * f.z;
}

// The colour that the LUT gives for a colour. Input outside 0 to 1 counts as the nearest edge; output is not limited.
fn vglb_lookup(lut: texture_2d<f32>, color: vec3<f32>, size: vec2<i32>, n: i32) -> vec3<f32>
{
    let last: f32 = f32(n - 1);
    let r: vec2<f32> = vglb_axis(color.x, last);
    let g: vec2<f32> = vglb_axis(color.y, last);
    let b: vec2<f32> = vglb_axis(color.z, last);
    let f: vec3<f32> = vec3<f32>(r.y, g.y, b.y);
    let node: vec3<i32> = vec3<i32>(i32(r.x), i32(g.x), i32(b.x));
    let at: vec2<i32> = vglb_seen(size, vglb_texel(n, node));
    let step_r: vec2<i32> = vglb_seen(size, vglb_texel(n, node + vec3<i32>(1, 0, 0))) - at;
    let step_g: vec2<i32> = vglb_seen(size, vglb_texel(n, node + vec3<i32>(0, 1, 0))) - at;
    let step_b: vec2<i32> = vglb_seen(size, vglb_texel(n, node + vec3<i32>(0, 0, 1))) - at;
    let plane: i32 = vglb_plane_step(size);
    if (VGLB_TRILINEAR == 1) {
        return vglb_trilinear(lut, f, at, step_r, step_g, step_b, plane);
    }
    return vglb_tetrahedral(lut, f, at, step_r, step_g, step_b, plane);
}

// Linear light to the shaper's code value: 1 sRGB (IEC 61966-2-1), 2 ACEScct (S-2016-001), 3 PQ (SMPTE ST 2084, where
// linear 1.0 is VGLB_PQ_NITS cd/m2), else unchanged.
fn vglb_encode(shaper: i32, x: f32) -> f32
{
    if (shaper == 1) {
        return select(12.92 * x, 1.055 * pow(max(x, 0.0031308), 1.0 / 2.4) - 0.055, x > 0.0031308);
    }
    if (shaper == 2) {
        return select(10.5402377416545 * x + 0.0729055341958355, (log2(max(x, 0.0078125)) + 9.72) / 17.52, x > 0.0078125);
    }
    if (shaper == 3) {
        let y: f32 = pow(max(x, 0.0) * (VGLB_PQ_NITS / 10000.0), 0.1593017578125);
        return pow((0.8359375 + 18.8515625 * y) / (1.0 + 18.6875 * y), 78.84375);
    }
    return x;
}

// The shaper's code value back to linear light.
fn vglb_decode(shaper: i32, v: f32) -> f32
{
    if (shaper == 1) {
        return select(v / 12.92, pow((max(v, 0.04045) + 0.055) / 1.055, 2.4), v > 0.04045);
    }
    if (shaper == 2) {
        return select((v - 0.0729055341958355) / 10.5402377416545, min(exp2(v * 17.52 - 9.72), 65504.0), v > 0.155251141552511);
    }
    if (shaper == 3) {
        let p: f32 = pow(min(max(v, 0.0), 1.0), 1.0 / 78.84375);
        let y: f32 = max(p - 0.8359375, 0.0) / (18.8515625 - 18.6875 * p);
        return pow(y, 1.0 / 0.1593017578125) * (10000.0 / VGLB_PQ_NITS);
    }
    return v;
}

// One channel of the picture blended with its graded value; NaN in the picture counts as 0, as it does in the lookup.
fn vglb_blend(picture: f32, graded: f32) -> f32
{
    let base: f32 = select(0.0, picture, picture > 0.0 || picture <= 0.0);
    return base * (1.0 - VGLB_MIX) + graded * VGLB_MIX;
}

// Linear light to what the LUT expects.
fn vglb_shape(c: vec3<f32>) -> vec3<f32>
{
    if (VGLB_SHAPER_IN == 0) {
        return c;
    }
    return vec3<f32>(vglb_encode(VGLB_SHAPER_IN, c.x), vglb_encode(VGLB_SHAPER_IN, c.y),
        vglb_encode(VGLB_SHAPER_IN, c.z));
}

// What the LUT has given, back to linear light and blended with the picture. Alpha is the picture's.
fn vglb_finish(picture: vec4<f32>, looked_up: vec3<f32>) -> vec4<f32>
{
    var c: vec3<f32> = looked_up;
    if (VGLB_SHAPER_OUT != 0) {
        c = vec3<f32>(vglb_decode(VGLB_SHAPER_OUT, c.x), vglb_decode(VGLB_SHAPER_OUT, c.y),
            vglb_decode(VGLB_SHAPER_OUT, c.z));
    }
    if (VGLB_MIX < 1.0) {
        c = vec3<f32>(vglb_blend(picture.x, c.x), vglb_blend(picture.y, c.y), vglb_blend(picture.z, c.z));
    }
    return vec4<f32>(c, picture.w);
}

// The picture's colour, graded; unchanged where the texture is no LUT.
fn vglb_apply(lut: texture_2d<f32>, picture: vec4<f32>) -> vec4<f32>
{
    let size: vec2<i32> = vec2<i32>(textureDimensions(lut));
    let n: i32 = vglb_grid_size(size);
    if (n < 2 || VGLB_MIX <= 0.0) {
        return picture;
    }
    return vglb_finish(picture, vglb_lookup(lut, vglb_shape(picture.xyz), size, n));
}

// Four upright bands that prove orientation and layout: the entries for black, red, green and blue. With the identity
// LUT they must be black, red, green and blue; magenta all over means that the texture is no LUT.
fn vglb_check(lut: texture_2d<f32>, across: f32) -> vec4<f32>
{
    let size: vec2<i32> = vec2<i32>(textureDimensions(lut));
    let n: i32 = vglb_grid_size(size);
    if (n < 2) {
        return vec4<f32>(1.0, 0.0, 1.0, 1.0);
    }
    let band: i32 = i32(across * 4.0);
    let corner: vec3<i32> = vec3<i32>(select(0, n - 1, band == 1), select(0, n - 1, band == 2), select(0, n - 1, band >= 3));
    let at: vec2<i32> = vglb_seen(size, vglb_texel(n, corner));
    return vec4<f32>(vglb_entry(lut, at, vglb_plane_step(size)), 1.0);
}

// What a host's shader calls: the check bands where they are switched on, else the graded picture. `across` runs from
// 0 at the picture's left to 1 at its right.
fn vglb_main(lut: texture_2d<f32>, picture: vec4<f32>, across: f32) -> vec4<f32>
{
    if (VGLB_CHECK == 1) {
        return vglb_check(lut, across);
    }
    return vglb_apply(lut, picture);
}

fn vglb_at(at: vec2<i32>) -> vec4<f32>
{
    let across = (f32(at.x) + 0.5) / f32(textureDimensions(picture).x);
    return vglb_main(lut_image, textureLoad(picture, at, 0), across);
}

@vertex
fn vertex_main(@builtin(vertex_index) index: u32) -> @builtin(position) vec4<f32>
{
    return vec4<f32>(select(-1.0, 3.0, index == 1u), select(-1.0, 3.0, index == 2u), 0.0, 1.0);
}

@fragment
fn fragment_main(@builtin(position) position: vec4<f32>) -> @location(0) vec4<f32>
{
    return vglb_at(vec2<i32>(position.xy));
}

@compute @workgroup_size(8, 32)
fn compute_main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) thread: vec3<u32>)
{
    let size = vec2<i32>(textureDimensions(picture));
    let at = vec2<i32>(i32(group.x * 8u + thread.x), i32(group.y * 128u + thread.y));
    let across = (f32(at.x) + 0.5) / f32(size.x);
    // All pixels are asked for before the first is graded: that is what makes several a thread pay.
    var colors: array<vec4<f32>, 4>;
    for (var i = 0; i < 4; i++) {
        colors[i] = textureLoad(picture, min(at + vec2<i32>(0, i * 32), size - vec2<i32>(1)), 0);
    }
    for (var i = 0; i < 4; i++) {
        colors[i] = vglb_main(lut_image, colors[i], across);
    }
    for (var i = 0; i < 4; i++) {
        let here = at + vec2<i32>(0, i * 32);
        if (here.x < size.x && here.y < size.y) {
            textureStore(graded, here, colors[i]);
        }
    }
}
