// Puts a LUT strip on a picture in two passes, faster than vglb.metal: Metal. Functions: `vglb_entries_kernel`, once for
// each LUT, one thread for each texel of the LUT's texture and at least one; then `vglb_picture_kernel`, one thread for
// each column of four pixels, so width x ((height + 3) / 4) threads. Picture and target are of the same size.
// Setup: docs/hosts/metal.md
// Written by `cargo xtask shaders` from shaders/core and shaders/templates; changes belong there.
#include <metal_stdlib>
using namespace metal;

// ---- Settings ----------------------------------------------------------------------------------------------------
// How the entries lie in the texture: 0 vglb (the default stream), 1 unreal, 2 unity, 3 hald-clut.
#ifndef VGLB_LAYOUT
#define VGLB_LAYOUT 0
#endif
// What the host has turned upside down: 0 nothing, 1 plain float textures, 2 byte planes, 3 both.
#ifndef VGLB_FLIP
#define VGLB_FLIP 0
#endif
// How much of the grade: 0.0 is the picture as it came, 1.0 the graded picture.
#ifndef VGLB_MIX
#define VGLB_MIX 1.0
#endif
// 1 paints four bands, the entries for black, red, green and blue: the orientation check.
#ifndef VGLB_CHECK
#define VGLB_CHECK 0
#endif
// 0 tetrahedral, 1 trilinear.
#ifndef VGLB_TRILINEAR
#define VGLB_TRILINEAR 0
#endif
// For pictures in linear light: the curve that the LUT expects (IN) and the one that it returns (OUT).
// 0 none, 1 sRGB, 2 ACEScct, 3 PQ. With PQ, linear 1.0 is VGLB_PQ_NITS cd/m2.
#ifndef VGLB_SHAPER_IN
#define VGLB_SHAPER_IN 0
#endif
#ifndef VGLB_SHAPER_OUT
#define VGLB_SHAPER_OUT 0
#endif
#ifndef VGLB_PQ_NITS
#define VGLB_PQ_NITS 100.0
#endif
// ------------------------------------------------------------------------------------------------------------------

// The floats whose bits are high*65536 + low. Adding 2^23 rounds to a whole number and leaves it in the low bits.
inline float3 vglb_join(float3 low, float3 high)
{
    uint3 low_bits = as_type<uint3>(low + 8388608.0f) & 65535u;
    return as_type<float3>((as_type<uint3>(high + 8388608.0f) << 16u) | low_bits);
}

// Height of the plain texture: byte planes are four of them above each other. 0 where the size is no LUT's.
inline int vglb_rows(int2 size)
{
    int quarter = size.y / 4;
    bool by_four = quarter * 4 == size.y;
    if (VGLB_LAYOUT == 3) {
        return (size.y == size.x ? size.y : (by_four && quarter == size.x ? quarter : 0));
    }
    return (size.y * size.y == size.x ? size.y : (by_four && quarter * quarter == size.x ? quarter : 0));
}

// Grid size N of the LUT in a texture of this size; 0 where the size is no LUT's.
inline int vglb_grid_size(int2 size)
{
    int rows = vglb_rows(size);
    if (VGLB_LAYOUT == 3) {
        int level = int(pow(float(rows), 1.0f / 3.0f) + 0.5f);
        return (level >= 2 && level * level * level == rows ? level * level : 0);
    }
    return (rows >= 2 ? rows : 0);
}

// Texel of lattice point r, g, b in a plain texture, rows counted from the first in memory.
inline int2 vglb_texel(int n, int3 node)
{
    if (VGLB_LAYOUT == 1) {
        return int2(node.z * n + node.x, node.y);
    }
    if (VGLB_LAYOUT == 2) {
        return int2(node.z * n + node.x, n - 1 - node.y);
    }
    if (VGLB_LAYOUT == 3) {
        int level = int(sqrt(float(n)) + 0.5f);
        int row = node.y / level;
        return int2((node.y - row * level) * n + node.x, node.z * level + row);
    }
    return int2(node.z * n + node.y, node.x);
}

// The same texel as the host sees it: where it has flipped the picture, rows count from the last in memory.
inline int2 vglb_seen(int2 size, int2 at)
{
    int kind = (vglb_rows(size) == size.y ? 1 : 2);
    if (VGLB_FLIP == kind || VGLB_FLIP == 3) {
        return int2(at.x, size.y - 1 - at.y);
    }
    return at;
}

// Rows from one byte plane to the next, as the host sees them; 0 in a plain texture.
inline int vglb_plane_step(int2 size)
{
    int rows = vglb_rows(size);
    return (rows == size.y ? 0 : (VGLB_FLIP >= 2 ? -rows : rows));
}

// An entry from its four bytes.
inline float3 vglb_entry_from_planes(metal::texture2d<float> lut, int2 at, int plane)
{
    float3 byte0 = lut.read(uint2(at)).xyz;
    float3 byte1 = lut.read(uint2(at + int2(0, plane))).xyz;
    float3 byte2 = lut.read(uint2(at + int2(0, plane * 2))).xyz;
    float3 byte3 = lut.read(uint2(at + int2(0, plane * 3))).xyz;
    return vglb_join(byte0 * 255.0f + byte1 * 65280.0f, byte2 * 255.0f + byte3 * 65280.0f);
}

// Where a value lies on the lattice's axis: its cell, 0 to N-2, and how far into the cell it is, 0.0 to 1.0.
// NaN counts as 0. The value is cut into a coarse part of 12 bits and a rest, whose products with N-1 are exact in
// float32; so the fraction is as good as float32 can hold it, whether or not a compiler fuses products and sums. The
// limit of -1.0, which is never reached, keeps compilers from putting the two products together again. A value that is
// no further from a lattice point than its own rounding lies on it.
inline float2 vglb_axis(float value, float last)
{
    float c = (value > 0.0f ? (value < 1.0f ? value : 1.0f) : 0.0f);
    float coarse = floor(c * 4096.0f) * 0.000244140625f;
    float nearest = floor(c * last + 0.5f);
    float offset = max(coarse * last - nearest, -1.0f) + (c - coarse) * last;
    float f = (abs(offset) > nearest * 0.000000059604644775390625f ? offset : 0.0f);
    bool below = f < 0.0f || nearest == last;
    return float2((below ? nearest - 1.0f : nearest), (below ? f + 1.0f : f));
}

// Tetrahedral: along the edges of the largest, then the middle, then the smallest fraction.
inline float3 vglb_tetrahedral(metal::texture2d<float> lut, float3 f, int2 at, int2 step_r, int2 step_g, int2 step_b, int plane)
{
    bool rg = f.x >= f.y;
    bool gb = f.y >= f.z;
    bool rb = f.x >= f.z;
    int2 opposite = at + step_r + step_g + step_b;
    int2 second = at + (rg ? (rb ? step_r : step_b) : (gb ? step_g : step_b));
    int2 third = opposite - (rg ? (gb ? step_b : step_g) : (rb ? step_b : step_r));

    float low = min(f.x, f.y);
    float high = max(f.x, f.y);
    float smallest = min(low, f.z);
    float largest = max(high, f.z);
    float middle = max(low, min(high, f.z));

    float3 e0;
    float3 e1;
    float3 e2;
    float3 e3;
    if (plane == 0) {
        e0 = lut.read(uint2(at)).xyz;
        e1 = lut.read(uint2(second)).xyz;
        e2 = lut.read(uint2(third)).xyz;
        e3 = lut.read(uint2(opposite)).xyz;
    } else {
        e0 = vglb_entry_from_planes(lut, at, plane);
        e1 = vglb_entry_from_planes(lut, second, plane);
        e2 = vglb_entry_from_planes(lut, third, plane);
        e3 = vglb_entry_from_planes(lut, opposite, plane);
    }
    return e0 * (1.0f - largest) + e1 * (largest - middle) + e2 * (middle - smallest) + e3 * smallest;
}

inline float3 vglb_entry(metal::texture2d<float> lut, int2 at, int plane)
{
    if (plane == 0) {
        return lut.read(uint2(at)).xyz;
    }
    return vglb_entry_from_planes(lut, at, plane);
}

// Along one edge of the cell.
inline float3 vglb_edge(metal::texture2d<float> lut, float f, int2 at, int2 along, int plane)
{
    return vglb_entry(lut, at, plane) * (1.0f - f) + vglb_entry(lut, at + along, plane) * f;
}

// Trilinear: all eight corners of the cell.
inline float3 vglb_trilinear(metal::texture2d<float> lut, float3 f, int2 at, int2 step_r, int2 step_g, int2 step_b, int plane)
{
    float3 front = vglb_edge(lut, f.x, at, step_r, plane) * (1.0f - f.y)
        + vglb_edge(lut, f.x, at + step_g, step_r, plane) * f.y;
    float3 back = vglb_edge(lut, f.x, at + step_b, step_r, plane) * (1.0f - f.y)
        + vglb_edge(lut, f.x, at + step_b + step_g, step_r, plane) * f.y;
    return front * (1.0f - f.z) + back * f.z;
}

// The colour that the LUT gives for a colour. Input outside 0 to 1 counts as the nearest edge; output is not limited.
inline float3 vglb_lookup(metal::texture2d<float> lut, float3 color, int2 size, int n)
{
    float last = float(n - 1);
    float2 r = vglb_axis(color.x, last);
    float2 g = vglb_axis(color.y, last);
    float2 b = vglb_axis(color.z, last);
    float3 f = float3(r.y, g.y, b.y);
    int3 node = int3(int(r.x), int(g.x), int(b.x));
    int2 at = vglb_seen(size, vglb_texel(n, node));
    int2 step_r = vglb_seen(size, vglb_texel(n, node + int3(1, 0, 0))) - at;
    int2 step_g = vglb_seen(size, vglb_texel(n, node + int3(0, 1, 0))) - at;
    int2 step_b = vglb_seen(size, vglb_texel(n, node + int3(0, 0, 1))) - at;
    int plane = vglb_plane_step(size);
    if (VGLB_TRILINEAR == 1) {
        return vglb_trilinear(lut, f, at, step_r, step_g, step_b, plane);
    }
    return vglb_tetrahedral(lut, f, at, step_r, step_g, step_b, plane);
}

// Linear light to the shaper's code value: 1 sRGB (IEC 61966-2-1), 2 ACEScct (S-2016-001), 3 PQ (SMPTE ST 2084, where
// linear 1.0 is VGLB_PQ_NITS cd/m2), else unchanged.
inline float vglb_encode(int shaper, float x)
{
    if (shaper == 1) {
        return (x > 0.0031308f ? 1.055f * pow(max(x, 0.0031308f), 1.0f / 2.4f) - 0.055f : 12.92f * x);
    }
    if (shaper == 2) {
        return (x > 0.0078125f ? (log2(max(x, 0.0078125f)) + 9.72f) / 17.52f : 10.5402377416545f * x + 0.0729055341958355f);
    }
    if (shaper == 3) {
        float y = pow(max(x, 0.0f) * (VGLB_PQ_NITS / 10000.0f), 0.1593017578125f);
        return pow((0.8359375f + 18.8515625f * y) / (1.0f + 18.6875f * y), 78.84375f);
    }
    return x;
}

// The shaper's code value back to linear light.
inline float vglb_decode(int shaper, float v)
{
    if (shaper == 1) {
        return (v > 0.04045f ? pow((max(v, 0.04045f) + 0.055f) / 1.055f, 2.4f) : v / 12.92f);
    }
    if (shaper == 2) {
        return (v > 0.155251141552511f ? min(exp2(v * 17.52f - 9.72f), 65504.0f) : (v - 0.0729055341958355f) / 10.5402377416545f);
    }
    if (shaper == 3) {
        float p = pow(min(max(v, 0.0f), 1.0f), 1.0f / 78.84375f);
        float y = max(p - 0.8359375f, 0.0f) / (18.8515625f - 18.6875f * p);
        return pow(y, 1.0f / 0.1593017578125f) * (10000.0f / VGLB_PQ_NITS);
    }
    return v;
}

// One channel of the picture blended with its graded value; NaN in the picture counts as 0, as it does in the lookup.
inline float vglb_blend(float picture, float graded)
{
    float base = (picture > 0.0f || picture <= 0.0f ? picture : 0.0f);
    return base * (1.0f - VGLB_MIX) + graded * VGLB_MIX;
}

// Linear light to what the LUT expects.
inline float3 vglb_shape(float3 c)
{
    if (VGLB_SHAPER_IN == 0) {
        return c;
    }
    return float3(vglb_encode(VGLB_SHAPER_IN, c.x), vglb_encode(VGLB_SHAPER_IN, c.y),
        vglb_encode(VGLB_SHAPER_IN, c.z));
}

// What the LUT has given, back to linear light and blended with the picture. Alpha is the picture's.
inline float4 vglb_finish(float4 picture, float3 looked_up)
{
    float3 c = looked_up;
    if (VGLB_SHAPER_OUT != 0) {
        c = float3(vglb_decode(VGLB_SHAPER_OUT, c.x), vglb_decode(VGLB_SHAPER_OUT, c.y),
            vglb_decode(VGLB_SHAPER_OUT, c.z));
    }
    if (VGLB_MIX < 1.0f) {
        c = float3(vglb_blend(picture.x, c.x), vglb_blend(picture.y, c.y), vglb_blend(picture.z, c.z));
    }
    return float4(c, picture.w);
}

// The picture's colour, graded; unchanged where the texture is no LUT.
inline float4 vglb_apply(metal::texture2d<float> lut, float4 picture)
{
    int2 size = int2(int(lut.get_width()), int(lut.get_height()));
    int n = vglb_grid_size(size);
    if (n < 2 || VGLB_MIX <= 0.0f) {
        return picture;
    }
    return vglb_finish(picture, vglb_lookup(lut, vglb_shape(picture.xyz), size, n));
}

// Four upright bands that prove orientation and layout: the entries for black, red, green and blue. With the identity
// LUT they must be black, red, green and blue; magenta all over means that the texture is no LUT.
inline float4 vglb_check(metal::texture2d<float> lut, float across)
{
    int2 size = int2(int(lut.get_width()), int(lut.get_height()));
    int n = vglb_grid_size(size);
    if (n < 2) {
        return float4(1.0f, 0.0f, 1.0f, 1.0f);
    }
    int band = int(across * 4.0f);
    int3 corner = int3((band == 1 ? n - 1 : 0), (band == 2 ? n - 1 : 0), (band >= 3 ? n - 1 : 0));
    int2 at = vglb_seen(size, vglb_texel(n, corner));
    return float4(vglb_entry(lut, at, vglb_plane_step(size)), 1.0f);
}

// What a host's shader calls: the check bands where they are switched on, else the graded picture. `across` runs from
// 0 at the picture's left to 1 at its right.
inline float4 vglb_main(metal::texture2d<float> lut, float4 picture, float across)
{
    if (VGLB_CHECK == 1) {
        return vglb_check(lut, across);
    }
    return vglb_apply(lut, picture);
}

// The buffer: in the first float4 the grid size N (0 where the texture is no LUT), then the N*N*N entries as the plain
// layout `vglb` has them, row after row: that of lattice point r, g, b is number 1 + (r*N + b)*N + g.

// What belongs at an index from 1 to N*N*N.
inline float4 vglb_buffer_entry(metal::texture2d<float> lut, int2 size, int n, int index)
{
    int row = (index - 1) / n;
    int3 node = int3(row / n, index - 1 - row * n, row - row / n * n);
    int2 at = vglb_seen(size, vglb_texel(n, node));
    return float4(vglb_entry(lut, at, vglb_plane_step(size)), 1.0f);
}

// Grid size N of the LUT in the buffer; 0 where there is none.
inline int vglb_buffer_grid_size(device const float4 *lut_entries)
{
    return int(lut_entries[0].x);
}

// Along one edge of the cell.
inline float3 vglb_buffer_edge(device const float4 *lut_entries, float f, int at, int along)
{
    return lut_entries[at].xyz * (1.0f - f) + lut_entries[at + along].xyz * f;
}

// Trilinear: all eight corners of the cell.
inline float3 vglb_buffer_trilinear(device const float4 *lut_entries, float3 f, int at, int step_r, int step_b)
{
    float3 front = vglb_buffer_edge(lut_entries, f.x, at, step_r) * (1.0f - f.y)
        + vglb_buffer_edge(lut_entries, f.x, at + 1, step_r) * f.y;
    float3 back = vglb_buffer_edge(lut_entries, f.x, at + step_b, step_r) * (1.0f - f.y)
        + vglb_buffer_edge(lut_entries, f.x, at + step_b + 1, step_r) * f.y;
    return front * (1.0f - f.z) + back * f.z;
}

// The colour that the LUT gives for a colour, by the arithmetic of vglb_lookup.
inline float3 vglb_buffer_lookup(device const float4 *lut_entries, float3 color, int n)
{
    float last = float(n - 1);
    float2 r = vglb_axis(color.x, last);
    float2 g = vglb_axis(color.y, last);
    float2 b = vglb_axis(color.z, last);
    int step_b = n;
    int step_r = n * n;
    int at = 1 + int(r.x) * step_r + int(b.x) * step_b + int(g.x);
    if (VGLB_TRILINEAR == 1) {
        return vglb_buffer_trilinear(lut_entries, float3(r.y, g.y, b.y), at, step_r, step_b);
    }
    bool rg = r.y >= g.y;
    bool gb = g.y >= b.y;
    bool rb = r.y >= b.y;
    int opposite = at + step_r + step_b + 1;
    int second = at + (rg ? (rb ? step_r : step_b) : (gb ? 1 : step_b));
    int third = opposite - (rg ? (gb ? step_b : 1) : (rb ? step_b : step_r));
    float low = min(r.y, g.y);
    float high = max(r.y, g.y);
    float smallest = min(low, b.y);
    float largest = max(high, b.y);
    float middle = max(low, min(high, b.y));
    return lut_entries[at].xyz * (1.0f - largest) + lut_entries[second].xyz * (largest - middle)
        + lut_entries[third].xyz * (middle - smallest) + lut_entries[opposite].xyz * smallest;
}

// What vglb_main gives, from the buffer: the check bands where they are switched on, else the graded picture.
inline float4 vglb_buffer_main(device const float4 *lut_entries, int n, float4 picture, float across)
{
    if (VGLB_CHECK == 1) {
        int band = int(across * 4.0f);
        int corner = 1 + (band == 1 ? (n - 1) * n * n : 0) + (band == 2 ? n - 1 : 0)
            + (band >= 3 ? (n - 1) * n : 0);
        if (n < 2) {
            return float4(1.0f, 0.0f, 1.0f, 1.0f);
        }
        return float4(lut_entries[corner].xyz, 1.0f);
    }
    if (n < 2 || VGLB_MIX <= 0.0f) {
        return picture;
    }
    return vglb_finish(picture, vglb_buffer_lookup(lut_entries, vglb_shape(picture.xyz), n));
}

// `room` is how many float4 the buffer holds: 1 + N*N*N; with less, the picture stays as it is.
kernel void vglb_entries_kernel(metal::texture2d<float> lut_image [[texture(1)]],
                                device float4 *written_entries [[buffer(0)]],
                                constant int &room [[buffer(1)]],
                                uint2 thread [[thread_position_in_grid]])
{
    int2 size = int2(int(lut_image.get_width()), int(lut_image.get_height()));
    int n = vglb_grid_size(size);
    n = room > n * n * n ? n : 0;
    int2 at = int2(int(thread.x), int(thread.y));
    int index = at.y * size.x + at.x + 1;
    if (at.x == 0 && at.y == 0) {
        written_entries[0] = float4(float(n), 0.0f, 0.0f, 0.0f);
    }
    if (at.x < size.x && index <= n * n * n) {
        written_entries[index] = vglb_buffer_entry(lut_image, size, n, index);
    }
}

kernel void vglb_picture_kernel(metal::texture2d<float> picture [[texture(0)]],
                                metal::texture2d<float, access::write> graded [[texture(2)]],
                                device const float4 *lut_entries [[buffer(0)]],
                                uint2 thread [[thread_position_in_grid]])
{
    int n = vglb_buffer_grid_size(lut_entries);
    float across = (float(thread.x) + 0.5f) / float(picture.get_width());
    // All pixels are asked for before the first is graded: that is what makes several a thread pay.
    float4 colors[4];
    for (uint i = 0u; i < 4u; ++i) {
        uint2 here = uint2(metal::min(thread.x, picture.get_width() - 1u),
                           metal::min(thread.y * 4u + i, picture.get_height() - 1u));
        colors[i] = picture.read(here);
    }
    for (uint i = 0u; i < 4u; ++i) {
        colors[i] = vglb_buffer_main(lut_entries, n, colors[i], across);
    }
    for (uint i = 0u; i < 4u; ++i) {
        uint2 here = uint2(thread.x, thread.y * 4u + i);
        if (here.x < picture.get_width() && here.y < picture.get_height()) {
            graded.write(colors[i], here);
        }
    }
}
