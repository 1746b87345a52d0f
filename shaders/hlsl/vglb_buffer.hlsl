// Puts a LUT strip on a picture in two passes, faster than vglb.hlsl: Direct3D 11 and later, shader model 5.0 and later.
// Entry points: `entries`, once for each LUT, one thread group for each 8x8 texels of the LUT's texture and at least
// one; then `compute`, one thread group for each 8x128 pixels. Picture and target are of the same size.
// Setup: docs/hosts/hlsl.md
// Written by `cargo xtask shaders` from shaders/core and shaders/templates; changes belong there.

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

Texture2D<float4> picture : register(t0);
Texture2D<float4> lut_image : register(t1);
// The same buffer, as `compute` reads it and as `entries` writes it: 1 + N*N*N float4; with less, the picture stays as
// it is.
StructuredBuffer<float4> lut_entries : register(t2);
RWStructuredBuffer<float4> written_entries : register(u1);
RWTexture2D<float4> graded : register(u0);

int2 vglb_texture_size(Texture2D<float4> lut)
{
    uint width, height;
    lut.GetDimensions(width, height);
    return int2((int)width, (int)height);
}

// The floats whose bits are high*65536 + low. Adding 2^23 rounds to a whole number and leaves it in the low bits.
float3 vglb_join(float3 low, float3 high)
{
    uint3 low_bits = asuint(low + 8388608.0) & 65535u;
    return asfloat((asuint(high + 8388608.0) << 16u) | low_bits);
}

// Height of the plain texture: byte planes are four of them above each other. 0 where the size is no LUT's.
int vglb_rows(int2 size)
{
    int quarter = size.y / 4;
    bool by_four = quarter * 4 == size.y;
    if (VGLB_LAYOUT == 3) {
        return (size.y == size.x ? size.y : (by_four && quarter == size.x ? quarter : 0));
    }
    return (size.y * size.y == size.x ? size.y : (by_four && quarter * quarter == size.x ? quarter : 0));
}

// Grid size N of the LUT in a texture of this size; 0 where the size is no LUT's.
int vglb_grid_size(int2 size)
{
    int rows = vglb_rows(size);
    if (VGLB_LAYOUT == 3) {
        int level = int(pow(float(rows), 1.0 / 3.0) + 0.5);
        return (level >= 2 && level * level * level == rows ? level * level : 0);
    }
    return (rows >= 2 ? rows : 0);
}

// Texel of lattice point r, g, b in a plain texture, rows counted from the first in memory.
int2 vglb_texel(int n, int3 node)
{
    if (VGLB_LAYOUT == 1) {
        return int2(node.z * n + node.x, node.y);
    }
    if (VGLB_LAYOUT == 2) {
        return int2(node.z * n + node.x, n - 1 - node.y);
    }
    if (VGLB_LAYOUT == 3) {
        int level = int(sqrt(float(n)) + 0.5);
        int row = node.y / level;
        return int2((node.y - row * level) * n + node.x, node.z * level + row);
    }
    return int2(node.z * n + node.y, node.x);
}

// The same texel as the host sees it: where it has flipped the picture, rows count from the last in memory.
int2 vglb_seen(int2 size, int2 at)
{
    int kind = (vglb_rows(size) == size.y ? 1 : 2);
    if (VGLB_FLIP == kind || VGLB_FLIP == 3) {
        return int2(at.x, size.y - 1 - at.y);
    }
    return at;
}

// Rows from one byte plane to the next, as the host sees them; 0 in a plain texture.
int vglb_plane_step(int2 size)
{
    int rows = vglb_rows(size);
    return (rows == size.y ? 0 : (VGLB_FLIP >= 2 ? -rows : rows));
}

// An entry from its four bytes.
float3 vglb_entry_from_planes(Texture2D<float4> lut, int2 at, int plane)
{
    float3 byte0 = lut.Load(int3(at, 0)).xyz;
    float3 byte1 = lut.Load(int3(at + int2(0, plane), 0)).xyz;
    float3 byte2 = lut.Load(int3(at + int2(0, plane * 2), 0)).xyz;
    float3 byte3 = lut.Load(int3(at + int2(0, plane * 3), 0)).xyz;
    return vglb_join(byte0 * 255.0 + byte1 * 65280.0, byte2 * 255.0 + byte3 * 65280.0);
}

// Where a value lies on the lattice's axis: its cell, 0 to N-2, and how far into the cell it is, 0.0 to 1.0.
// NaN counts as 0. The value is cut into a coarse part of 12 bits and a rest, whose products with N-1 are exact in
// float32; so the fraction is as good as float32 can hold it, whether or not a compiler fuses products and sums. The
// limit of -1.0, which is never reached, keeps compilers from putting the two products together again. A value that is
// no further from a lattice point than its own rounding lies on it.
float2 vglb_axis(float value, float last)
{
    float c = (value > 0.0 ? (value < 1.0 ? value : 1.0) : 0.0);
    float coarse = floor(c * 4096.0) * 0.000244140625;
    float nearest = floor(c * last + 0.5);
    float offset = max(coarse * last - nearest, -1.0) + (c - coarse) * last;
    float f = (abs(offset) > nearest * 0.000000059604644775390625 ? offset : 0.0);
    bool below = f < 0.0 || nearest == last;
    return float2((below ? nearest - 1.0 : nearest), (below ? f + 1.0 : f));
}

// Tetrahedral: along the edges of the largest, then the middle, then the smallest fraction.
float3 vglb_tetrahedral(Texture2D<float4> lut, float3 f, int2 at, int2 step_r, int2 step_g, int2 step_b, int plane)
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
        e0 = lut.Load(int3(at, 0)).xyz;
        e1 = lut.Load(int3(second, 0)).xyz;
        e2 = lut.Load(int3(third, 0)).xyz;
        e3 = lut.Load(int3(opposite, 0)).xyz;
    } else {
        e0 = vglb_entry_from_planes(lut, at, plane);
        e1 = vglb_entry_from_planes(lut, second, plane);
        e2 = vglb_entry_from_planes(lut, third, plane);
        e3 = vglb_entry_from_planes(lut, opposite, plane);
    }
    return e0 * (1.0 - largest) + e1 * (largest - middle) + e2 * (middle - smallest) + e3 * smallest;
}

float3 vglb_entry(Texture2D<float4> lut, int2 at, int plane)
{
    if (plane == 0) {
        return lut.Load(int3(at, 0)).xyz;
    }
    return vglb_entry_from_planes(lut, at, plane);
}

// Along one edge of the cell.
float3 vglb_edge(Texture2D<float4> lut, float f, int2 at, int2 along, int plane)
{
    return vglb_entry(lut, at, plane) * (1.0 - f) + vglb_entry(lut, at + along, plane) * f;
}

// Trilinear: all eight corners of the cell.
float3 vglb_trilinear(Texture2D<float4> lut, float3 f, int2 at, int2 step_r, int2 step_g, int2 step_b, int plane)
{
    float3 front = vglb_edge(lut, f.x, at, step_r, plane) * (1.0 - f.y)
        + vglb_edge(lut, f.x, at + step_g, step_r, plane) * f.y;
    float3 back = vglb_edge(lut, f.x, at + step_b, step_r, plane) * (1.0 - f.y)
        + vglb_edge(lut, f.x, at + step_b + step_g, step_r, plane) * f.y;
    return front * (1.0 - f.z) + back * f.z;
}

// The colour that the LUT gives for a colour. Input outside 0 to 1 counts as the nearest edge; output is not limited.
float3 vglb_lookup(Texture2D<float4> lut, float3 color, int2 size, int n)
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
float vglb_encode(int shaper, float x)
{
    if (shaper == 1) {
        return (x > 0.0031308 ? 1.055 * pow(max(x, 0.0031308), 1.0 / 2.4) - 0.055 : 12.92 * x);
    }
    if (shaper == 2) {
        return (x > 0.0078125 ? (log2(max(x, 0.0078125)) + 9.72) / 17.52 : 10.5402377416545 * x + 0.0729055341958355);
    }
    if (shaper == 3) {
        float y = pow(max(x, 0.0) * (VGLB_PQ_NITS / 10000.0), 0.1593017578125);
        return pow((0.8359375 + 18.8515625 * y) / (1.0 + 18.6875 * y), 78.84375);
    }
    return x;
}

// The shaper's code value back to linear light.
float vglb_decode(int shaper, float v)
{
    if (shaper == 1) {
        return (v > 0.04045 ? pow((max(v, 0.04045) + 0.055) / 1.055, 2.4) : v / 12.92);
    }
    if (shaper == 2) {
        return (v > 0.155251141552511 ? min(exp2(v * 17.52 - 9.72), 65504.0) : (v - 0.0729055341958355) / 10.5402377416545);
    }
    if (shaper == 3) {
        float p = pow(min(max(v, 0.0), 1.0), 1.0 / 78.84375);
        float y = max(p - 0.8359375, 0.0) / (18.8515625 - 18.6875 * p);
        return pow(y, 1.0 / 0.1593017578125) * (10000.0 / VGLB_PQ_NITS);
    }
    return v;
}

// One channel of the picture blended with its graded value; NaN in the picture counts as 0, as it does in the lookup.
float vglb_blend(float picture, float graded)
{
    float base = (picture > 0.0 || picture <= 0.0 ? picture : 0.0);
    return base * (1.0 - VGLB_MIX) + graded * VGLB_MIX;
}

// Linear light to what the LUT expects.
float3 vglb_shape(float3 c)
{
    if (VGLB_SHAPER_IN == 0) {
        return c;
    }
    return float3(vglb_encode(VGLB_SHAPER_IN, c.x), vglb_encode(VGLB_SHAPER_IN, c.y),
        vglb_encode(VGLB_SHAPER_IN, c.z));
}

// What the LUT has given, back to linear light and blended with the picture. Alpha is the picture's.
float4 vglb_finish(float4 picture, float3 looked_up)
{
    float3 c = looked_up;
    if (VGLB_SHAPER_OUT != 0) {
        c = float3(vglb_decode(VGLB_SHAPER_OUT, c.x), vglb_decode(VGLB_SHAPER_OUT, c.y),
            vglb_decode(VGLB_SHAPER_OUT, c.z));
    }
    if (VGLB_MIX < 1.0) {
        c = float3(vglb_blend(picture.x, c.x), vglb_blend(picture.y, c.y), vglb_blend(picture.z, c.z));
    }
    return float4(c, picture.w);
}

// The picture's colour, graded; unchanged where the texture is no LUT.
float4 vglb_apply(Texture2D<float4> lut, float4 picture)
{
    int2 size = vglb_texture_size(lut);
    int n = vglb_grid_size(size);
    if (n < 2 || VGLB_MIX <= 0.0) {
        return picture;
    }
    return vglb_finish(picture, vglb_lookup(lut, vglb_shape(picture.xyz), size, n));
}

// Four upright bands that prove orientation and layout: the entries for black, red, green and blue. With the identity
// LUT they must be black, red, green and blue; magenta all over means that the texture is no LUT.
float4 vglb_check(Texture2D<float4> lut, float across)
{
    int2 size = vglb_texture_size(lut);
    int n = vglb_grid_size(size);
    if (n < 2) {
        return float4(1.0, 0.0, 1.0, 1.0);
    }
    int band = int(across * 4.0);
    int3 corner = int3((band == 1 ? n - 1 : 0), (band == 2 ? n - 1 : 0), (band >= 3 ? n - 1 : 0));
    int2 at = vglb_seen(size, vglb_texel(n, corner));
    return float4(vglb_entry(lut, at, vglb_plane_step(size)), 1.0);
}

// What a host's shader calls: the check bands where they are switched on, else the graded picture. `across` runs from
// 0 at the picture's left to 1 at its right.
float4 vglb_main(Texture2D<float4> lut, float4 picture, float across)
{
    if (VGLB_CHECK == 1) {
        return vglb_check(lut, across);
    }
    return vglb_apply(lut, picture);
}

// The buffer: in the first float4 the grid size N (0 where the texture is no LUT), then the N*N*N entries as the plain
// layout `vglb` has them, row after row: that of lattice point r, g, b is number 1 + (r*N + b)*N + g.

// What belongs at an index from 1 to N*N*N.
float4 vglb_buffer_entry(Texture2D<float4> lut, int2 size, int n, int index)
{
    int row = (index - 1) / n;
    int3 node = int3(row / n, index - 1 - row * n, row - row / n * n);
    int2 at = vglb_seen(size, vglb_texel(n, node));
    return float4(vglb_entry(lut, at, vglb_plane_step(size)), 1.0);
}

// Grid size N of the LUT in the buffer; 0 where there is none.
int vglb_buffer_grid_size()
{
    return int(lut_entries[0].x);
}

// Along one edge of the cell.
float3 vglb_buffer_edge(float f, int at, int along)
{
    return lut_entries[at].xyz * (1.0 - f) + lut_entries[at + along].xyz * f;
}

// Trilinear: all eight corners of the cell.
float3 vglb_buffer_trilinear(float3 f, int at, int step_r, int step_b)
{
    float3 front = vglb_buffer_edge(f.x, at, step_r) * (1.0 - f.y)
        + vglb_buffer_edge(f.x, at + 1, step_r) * f.y;
    float3 back = vglb_buffer_edge(f.x, at + step_b, step_r) * (1.0 - f.y)
        + vglb_buffer_edge(f.x, at + step_b + 1, step_r) * f.y;
    return front * (1.0 - f.z) + back * f.z;
}

// The colour that the LUT gives for a colour, by the arithmetic of vglb_lookup.
float3 vglb_buffer_lookup(float3 color, int n)
{
    float last = float(n - 1);
    float2 r = vglb_axis(color.x, last);
    float2 g = vglb_axis(color.y, last);
    float2 b = vglb_axis(color.z, last);
    int step_b = n;
    int step_r = n * n;
    int at = 1 + int(r.x) * step_r + int(b.x) * step_b + int(g.x);
    if (VGLB_TRILINEAR == 1) {
        return vglb_buffer_trilinear(float3(r.y, g.y, b.y), at, step_r, step_b);
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
    return lut_entries[at].xyz * (1.0 - largest) + lut_entries[second].xyz * (largest - middle)
        + lut_entries[third].xyz * (middle - smallest) + lut_entries[opposite].xyz * smallest;
}

// What vglb_main gives, from the buffer: the check bands where they are switched on, else the graded picture.
float4 vglb_buffer_main(int n, float4 picture, float across)
{
    if (VGLB_CHECK == 1) {
        int band = int(across * 4.0);
        int corner = 1 + (band == 1 ? (n - 1) * n * n : 0) + (band == 2 ? n - 1 : 0)
            + (band >= 3 ? (n - 1) * n : 0);
        if (n < 2) {
            return float4(1.0, 0.0, 1.0, 1.0);
        }
        return float4(lut_entries[corner].xyz, 1.0);
    }
    if (n < 2 || VGLB_MIX <= 0.0) {
        return picture;
    }
    return vglb_finish(picture, vglb_buffer_lookup(vglb_shape(picture.xyz), n));
}

[numthreads(8, 8, 1)]
void entries(uint3 thread : SV_DispatchThreadID)
{
    int2 size = vglb_texture_size(lut_image);
    int n = vglb_grid_size(size);
    uint room, stride;
    written_entries.GetDimensions(room, stride);
    n = (int)room > n * n * n ? n : 0;
    int2 at = int2(thread.xy);
    int index = at.y * size.x + at.x + 1;
    if (at.x == 0 && at.y == 0) {
        written_entries[0] = float4(float(n), 0.0, 0.0, 0.0);
    }
    if (at.x < size.x && index <= n * n * n) {
        written_entries[index] = vglb_buffer_entry(lut_image, size, n, index);
    }
}

[numthreads(8, 32, 1)]
void compute(uint3 group : SV_GroupID, uint3 thread : SV_GroupThreadID)
{
    int n = vglb_buffer_grid_size();
    int2 size = vglb_texture_size(picture);
    int2 at = int2(int(group.x) * 8 + int(thread.x), int(group.y) * 128 + int(thread.y));
    float across = (float(at.x) + 0.5) / float(size.x);
    // All pixels are asked for before the first is graded: that is what makes several a thread pay.
    float4 colors[4];
    [unroll]
    for (int i = 0; i < 4; ++i) {
        colors[i] = picture.Load(int3(min(at + int2(0, i * 32), size - 1), 0));
    }
    [unroll]
    for (int j = 0; j < 4; ++j) {
        colors[j] = vglb_buffer_main(n, colors[j], across);
    }
    [unroll]
    for (int k = 0; k < 4; ++k) {
        int2 here = at + int2(0, k * 32);
        if (here.x < size.x && here.y < size.y) {
            graded[uint2(here)] = colors[k];
        }
    }
}
