#version 430 core
// Puts a LUT strip on a picture: OpenGL 4.3 and later, compute shader, four pixels a thread. Dispatch one
// work group for each 8x128 pixels. vglb_430_entries.comp and vglb_430_picture.comp do the same in two passes, faster.
// Setup: docs/hosts/glsl.md
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

layout(local_size_x = 8, local_size_y = 32) in;
layout(binding = 0) uniform sampler2D picture;
layout(binding = 1) uniform sampler2D lut_image;
layout(binding = 0, rgba32f) writeonly uniform image2D graded;

// The floats whose bits are high*65536 + low. Adding 2^23 rounds to a whole number and leaves it in the low bits.
vec3 vglb_join(vec3 low, vec3 high)
{
    uvec3 low_bits = floatBitsToUint(low + 8388608.0) & 65535u;
    return uintBitsToFloat((floatBitsToUint(high + 8388608.0) << 16) | low_bits);
}

// Height of the plain texture: byte planes are four of them above each other. 0 where the size is no LUT's.
int vglb_rows(ivec2 size)
{
    int quarter = size.y / 4;
    bool by_four = quarter * 4 == size.y;
    if (VGLB_LAYOUT == 3) {
        return (size.y == size.x ? size.y : (by_four && quarter == size.x ? quarter : 0));
    }
    return (size.y * size.y == size.x ? size.y : (by_four && quarter * quarter == size.x ? quarter : 0));
}

// Grid size N of the LUT in a texture of this size; 0 where the size is no LUT's.
int vglb_grid_size(ivec2 size)
{
    int rows = vglb_rows(size);
    if (VGLB_LAYOUT == 3) {
        int level = int(pow(float(rows), 1.0 / 3.0) + 0.5);
        return (level >= 2 && level * level * level == rows ? level * level : 0);
    }
    return (rows >= 2 ? rows : 0);
}

// Texel of lattice point r, g, b in a plain texture, rows counted from the first in memory.
ivec2 vglb_texel(int n, ivec3 node)
{
    if (VGLB_LAYOUT == 1) {
        return ivec2(node.z * n + node.x, node.y);
    }
    if (VGLB_LAYOUT == 2) {
        return ivec2(node.z * n + node.x, n - 1 - node.y);
    }
    if (VGLB_LAYOUT == 3) {
        int level = int(sqrt(float(n)) + 0.5);
        int row = node.y / level;
        return ivec2((node.y - row * level) * n + node.x, node.z * level + row);
    }
    return ivec2(node.z * n + node.y, node.x);
}

// The same texel as the host sees it: where it has flipped the picture, rows count from the last in memory.
ivec2 vglb_seen(ivec2 size, ivec2 at)
{
    int kind = (vglb_rows(size) == size.y ? 1 : 2);
    if (VGLB_FLIP == kind || VGLB_FLIP == 3) {
        return ivec2(at.x, size.y - 1 - at.y);
    }
    return at;
}

// Rows from one byte plane to the next, as the host sees them; 0 in a plain texture.
int vglb_plane_step(ivec2 size)
{
    int rows = vglb_rows(size);
    return (rows == size.y ? 0 : (VGLB_FLIP >= 2 ? -rows : rows));
}

// An entry from its four bytes.
vec3 vglb_entry_from_planes(sampler2D lut, ivec2 at, int plane)
{
    vec3 byte0 = texelFetch(lut, at, 0).xyz;
    vec3 byte1 = texelFetch(lut, at + ivec2(0, plane), 0).xyz;
    vec3 byte2 = texelFetch(lut, at + ivec2(0, plane * 2), 0).xyz;
    vec3 byte3 = texelFetch(lut, at + ivec2(0, plane * 3), 0).xyz;
    return vglb_join(byte0 * 255.0 + byte1 * 65280.0, byte2 * 255.0 + byte3 * 65280.0);
}

// Where a value lies on the lattice's axis: its cell, 0 to N-2, and how far into the cell it is, 0.0 to 1.0.
// NaN counts as 0. The value is cut into a coarse part of 12 bits and a rest, whose products with N-1 are exact in
// float32; so the fraction is as good as float32 can hold it, whether or not a compiler fuses products and sums. The
// limit of -1.0, which is never reached, keeps compilers from putting the two products together again. A value that is
// no further from a lattice point than its own rounding lies on it.
vec2 vglb_axis(float value, float last)
{
    float c = (value > 0.0 ? (value < 1.0 ? value : 1.0) : 0.0);
    float coarse = floor(c * 4096.0) * 0.000244140625;
    float nearest = floor(c * last + 0.5);
    float offset = max(coarse * last - nearest, -1.0) + (c - coarse) * last;
    float f = (abs(offset) > nearest * 0.000000059604644775390625 ? offset : 0.0);
    bool below = f < 0.0 || nearest == last;
    return vec2((below ? nearest - 1.0 : nearest), (below ? f + 1.0 : f));
}

// Tetrahedral: along the edges of the largest, then the middle, then the smallest fraction.
vec3 vglb_tetrahedral(sampler2D lut, vec3 f, ivec2 at, ivec2 step_r, ivec2 step_g, ivec2 step_b, int plane)
{
    bool rg = f.x >= f.y;
    bool gb = f.y >= f.z;
    bool rb = f.x >= f.z;
    ivec2 opposite = at + step_r + step_g + step_b;
    ivec2 second = at + (rg ? (rb ? step_r : step_b) : (gb ? step_g : step_b));
    ivec2 third = opposite - (rg ? (gb ? step_b : step_g) : (rb ? step_b : step_r));

    float low = min(f.x, f.y);
    float high = max(f.x, f.y);
    float smallest = min(low, f.z);
    float largest = max(high, f.z);
    float middle = max(low, min(high, f.z));

    vec3 e0;
    vec3 e1;
    vec3 e2;
    vec3 e3;
    if (plane == 0) {
        e0 = texelFetch(lut, at, 0).xyz;
        e1 = texelFetch(lut, second, 0).xyz;
        e2 = texelFetch(lut, third, 0).xyz;
        e3 = texelFetch(lut, opposite, 0).xyz;
    } else {
        e0 = vglb_entry_from_planes(lut, at, plane);
        e1 = vglb_entry_from_planes(lut, second, plane);
        e2 = vglb_entry_from_planes(lut, third, plane);
        e3 = vglb_entry_from_planes(lut, opposite, plane);
    }
    return e0 * (1.0 - largest) + e1 * (largest - middle) + e2 * (middle - smallest) + e3 * smallest;
}

vec3 vglb_entry(sampler2D lut, ivec2 at, int plane)
{
    if (plane == 0) {
        return texelFetch(lut, at, 0).xyz;
    }
    return vglb_entry_from_planes(lut, at, plane);
}

// Along one edge of the cell.
vec3 vglb_edge(sampler2D lut, float f, ivec2 at, ivec2 along, int plane)
{
    return vglb_entry(lut, at, plane) * (1.0 - f) + vglb_entry(lut, at + along, plane) * f;
}

// Trilinear: all eight corners of the cell.
vec3 vglb_trilinear(sampler2D lut, vec3 f, ivec2 at, ivec2 step_r, ivec2 step_g, ivec2 step_b, int plane)
{
    vec3 front = vglb_edge(lut, f.x, at, step_r, plane) * (1.0 - f.y)
        + vglb_edge(lut, f.x, at + step_g, step_r, plane) * f.y;
    vec3 back = vglb_edge(lut, f.x, at + step_b, step_r, plane) * (1.0 - f.y)
        + vglb_edge(lut, f.x, at + step_b + step_g, step_r, plane) * f.y;
    return front * (1.0 - f.z) + back * f.z;
}

// The colour that the LUT gives for a colour. Input outside 0 to 1 counts as the nearest edge; output is not limited.
vec3 vglb_lookup(sampler2D lut, vec3 color, ivec2 size, int n)
{
    float last = float(n - 1);
    vec2 r = vglb_axis(color.x, last);
    vec2 g = vglb_axis(color.y, last);
    vec2 b = vglb_axis(color.z, last);
    vec3 f = vec3(r.y, g.y, b.y);
    ivec3 node = ivec3(int(r.x), int(g.x), int(b.x));
    ivec2 at = vglb_seen(size, vglb_texel(n, node));
    ivec2 step_r = vglb_seen(size, vglb_texel(n, node + ivec3(1, 0, 0))) - at;
    ivec2 step_g = vglb_seen(size, vglb_texel(n, node + ivec3(0, 1, 0))) - at;
    ivec2 step_b = vglb_seen(size, vglb_texel(n, node + ivec3(0, 0, 1))) - at;
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
vec3 vglb_shape(vec3 c)
{
    if (VGLB_SHAPER_IN == 0) {
        return c;
    }
    return vec3(vglb_encode(VGLB_SHAPER_IN, c.x), vglb_encode(VGLB_SHAPER_IN, c.y),
        vglb_encode(VGLB_SHAPER_IN, c.z));
}

// What the LUT has given, back to linear light and blended with the picture. Alpha is the picture's.
vec4 vglb_finish(vec4 picture, vec3 looked_up)
{
    vec3 c = looked_up;
    if (VGLB_SHAPER_OUT != 0) {
        c = vec3(vglb_decode(VGLB_SHAPER_OUT, c.x), vglb_decode(VGLB_SHAPER_OUT, c.y),
            vglb_decode(VGLB_SHAPER_OUT, c.z));
    }
    if (VGLB_MIX < 1.0) {
        c = vec3(vglb_blend(picture.x, c.x), vglb_blend(picture.y, c.y), vglb_blend(picture.z, c.z));
    }
    return vec4(c, picture.w);
}

// The picture's colour, graded; unchanged where the texture is no LUT.
vec4 vglb_apply(sampler2D lut, vec4 picture)
{
    ivec2 size = textureSize(lut, 0);
    int n = vglb_grid_size(size);
    if (n < 2 || VGLB_MIX <= 0.0) {
        return picture;
    }
    return vglb_finish(picture, vglb_lookup(lut, vglb_shape(picture.xyz), size, n));
}

// Four upright bands that prove orientation and layout: the entries for black, red, green and blue. With the identity
// LUT they must be black, red, green and blue; magenta all over means that the texture is no LUT.
vec4 vglb_check(sampler2D lut, float across)
{
    ivec2 size = textureSize(lut, 0);
    int n = vglb_grid_size(size);
    if (n < 2) {
        return vec4(1.0, 0.0, 1.0, 1.0);
    }
    int band = int(across * 4.0);
    ivec3 corner = ivec3((band == 1 ? n - 1 : 0), (band == 2 ? n - 1 : 0), (band >= 3 ? n - 1 : 0));
    ivec2 at = vglb_seen(size, vglb_texel(n, corner));
    return vec4(vglb_entry(lut, at, vglb_plane_step(size)), 1.0);
}

// What a host's shader calls: the check bands where they are switched on, else the graded picture. `across` runs from
// 0 at the picture's left to 1 at its right.
vec4 vglb_main(sampler2D lut, vec4 picture, float across)
{
    if (VGLB_CHECK == 1) {
        return vglb_check(lut, across);
    }
    return vglb_apply(lut, picture);
}

void main()
{
    ivec2 size = imageSize(graded);
    ivec2 at = ivec2(int(gl_GlobalInvocationID.x), int(gl_WorkGroupID.y) * 128 + int(gl_LocalInvocationID.y));
    float across = (float(at.x) + 0.5) / float(size.x);
    // All pixels are asked for before the first is graded: that is what makes several a thread pay.
    vec4 colors[4];
    for (int i = 0; i < 4; ++i) {
        colors[i] = texelFetch(picture, min(at + ivec2(0, i * 32), size - 1), 0);
    }
    for (int i = 0; i < 4; ++i) {
        colors[i] = vglb_main(lut_image, colors[i], across);
    }
    for (int i = 0; i < 4; ++i) {
        ivec2 here = at + ivec2(0, i * 32);
        if (here.x < size.x && here.y < size.y) {
            imageStore(graded, here, colors[i]);
        }
    }
}
