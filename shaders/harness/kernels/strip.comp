#version 430 core
// Ways to put a strip on a picture, picked by macros; src/bin/gpu_bench/kernels.rs lists them. Layout vglb only.
//
// WG_X, WG_Y    threads of a work group          PIXELS, ACROSS  pixels a thread, beside each other or below each other
// AXIS          how cell and fraction are found  CHOOSE          how the tetrahedron is found
// FETCH         where entries are read from      ORDER           in which order they are asked for
// PICTURE       how the picture is read          REUSE           keep the last pixel's entries where the cell is the same
layout(local_size_x = WG_X, local_size_y = WG_Y) in;
layout(binding = 0) uniform sampler2D picture;
layout(binding = 1) uniform sampler2D strip;
layout(binding = 2) uniform sampler2D planes;
layout(binding = 3) uniform sampler3D cube;
layout(binding = 4) uniform samplerBuffer texels;
layout(binding = 5) uniform usampler2D bytes;
layout(binding = 0, rgba32f) writeonly uniform image2D graded;
layout(binding = 1, rgba32f) readonly uniform image2D picture_image;
layout(binding = 2, rgba32f) readonly uniform image2D strip_image;
layout(std430, binding = 0) readonly buffer Entries { vec4 entries[]; };
layout(std430, binding = 1) readonly buffer Packed { float packed_entries[]; };

#define EXACT 0
#define SIMPLE 1
#define MAGIC 2
#define FUSED 3
#define FUSED_MAGIC 4

#define CHAIN 0
#define BRANCHES 1

#define TEXEL_FETCH 0
#define IMAGE_LOAD 1
#define NORMALISED 2
#define GATHER 3
#define BUFFER 4
#define PACKED 5
#define TEXEL_BUFFER 6
#define CUBE 7
#define PLANES 8
#define PLANES_UINT 9
#define BYTES 10

#if FETCH == PLANES || FETCH == PLANES_UINT
#define GRID (textureSize(planes, 0).y / 4)
#elif FETCH == BYTES
#define GRID (textureSize(bytes, 0).y / 4)
#elif FETCH == CUBE
#define GRID textureSize(cube, 0).x
#else
#define GRID textureSize(strip, 0).y
#endif

// ---- cell and fraction -------------------------------------------------------------------------------------------
void axis(float value, float last, out int cell, out float f)
{
    float c = value > 0.0 ? (value < 1.0 ? value : 1.0) : 0.0;
#if AXIS == SIMPLE
    float s = c * last;
    float whole = min(floor(s), last - 1.0);
    f = s - whole;
    cell = int(whole);
#else
#if AXIS == MAGIC || AXIS == FUSED_MAGIC
    precise float raised = c * last + 8388608.0;
    precise float nearest = raised - 8388608.0;
    int index = int(floatBitsToUint(raised) & 255u);
#else
    float nearest = floor(c * last + 0.5);
#endif
#if AXIS == EXACT
    float coarse = floor(c * 4096.0) * 0.000244140625;
    float offset = max(coarse * last - nearest, -1.0) + (c - coarse) * last;
#elif AXIS == MAGIC
    float coarse = uintBitsToFloat(floatBitsToUint(c) & 0xfffff000u);
    float offset = max(coarse * last - nearest, -1.0) + (c - coarse) * last;
#else
    precise float offset = fma(c, last, -nearest);
#endif
    f = abs(offset) > nearest * 0.000000059604644775390625 ? offset : 0.0;
    bool below = f < 0.0 || nearest == last;
#if AXIS == MAGIC || AXIS == FUSED_MAGIC
    cell = below ? index - 1 : index;
#else
    cell = int(below ? nearest - 1.0 : nearest);
#endif
    f = below ? f + 1.0 : f;
#endif
}

// ---- one entry ---------------------------------------------------------------------------------------------------
#if FETCH == BUFFER || FETCH == PACKED || FETCH == TEXEL_BUFFER
#define PLACE int
#define PLACE_OF(n, p) (((p).x * (n) + (p).z) * (n) + (p).y)
#define STEP_R(n) ((n) * (n))
#define STEP_G(n) 1
#define STEP_B(n) (n)
#elif FETCH == CUBE
#define PLACE ivec3
#define PLACE_OF(n, p) (p)
#define STEP_R(n) ivec3(1, 0, 0)
#define STEP_G(n) ivec3(0, 1, 0)
#define STEP_B(n) ivec3(0, 0, 1)
#else
#define PLACE ivec2
#define PLACE_OF(n, p) ivec2((p).z * (n) + (p).y, (p).x)
#define STEP_R(n) ivec2(0, 1)
#define STEP_G(n) ivec2(1, 0)
#define STEP_B(n) ivec2((n), 0)
#endif

vec3 entry(PLACE at, int n)
{
#if FETCH == TEXEL_FETCH
    return texelFetch(strip, at, 0).xyz;
#elif FETCH == IMAGE_LOAD
    return imageLoad(strip_image, at).xyz;
#elif FETCH == NORMALISED
    return textureLod(strip, (vec2(at) + 0.5) / vec2(float(n * n), float(n)), 0.0).xyz;
#elif FETCH == BUFFER
    return entries[at].xyz;
#elif FETCH == PACKED
    return vec3(packed_entries[at * 3], packed_entries[at * 3 + 1], packed_entries[at * 3 + 2]);
#elif FETCH == TEXEL_BUFFER
    return texelFetch(texels, at).xyz;
#elif FETCH == CUBE
    return texelFetch(cube, at, 0).xyz;
#elif FETCH == PLANES
    vec3 b0 = texelFetch(planes, at, 0).xyz;
    vec3 b1 = texelFetch(planes, at + ivec2(0, n), 0).xyz;
    vec3 b2 = texelFetch(planes, at + ivec2(0, n * 2), 0).xyz;
    vec3 b3 = texelFetch(planes, at + ivec2(0, n * 3), 0).xyz;
    uvec3 low = floatBitsToUint(b0 * 255.0 + b1 * 65280.0 + 8388608.0) & 65535u;
    return uintBitsToFloat((floatBitsToUint(b2 * 255.0 + b3 * 65280.0 + 8388608.0) << 16) | low);
#elif FETCH == PLANES_UINT
    uvec3 b0 = uvec3(texelFetch(planes, at, 0).xyz * 255.0 + 0.5);
    uvec3 b1 = uvec3(texelFetch(planes, at + ivec2(0, n), 0).xyz * 255.0 + 0.5);
    uvec3 b2 = uvec3(texelFetch(planes, at + ivec2(0, n * 2), 0).xyz * 255.0 + 0.5);
    uvec3 b3 = uvec3(texelFetch(planes, at + ivec2(0, n * 3), 0).xyz * 255.0 + 0.5);
    return uintBitsToFloat(b0 | (b1 << 8) | (b2 << 16) | (b3 << 24));
#elif FETCH == BYTES
    uvec3 b0 = texelFetch(bytes, at, 0).xyz;
    uvec3 b1 = texelFetch(bytes, at + ivec2(0, n), 0).xyz;
    uvec3 b2 = texelFetch(bytes, at + ivec2(0, n * 2), 0).xyz;
    uvec3 b3 = texelFetch(bytes, at + ivec2(0, n * 3), 0).xyz;
    return uintBitsToFloat(b0 | (b1 << 8) | (b2 << 16) | (b3 << 24));
#else
    return vec3(0.0);
#endif
}

// ---- the tetrahedron ---------------------------------------------------------------------------------------------
#if FETCH == GATHER
vec3 corners(bvec3 o, int n, ivec3 p, vec3 weights, float w0)
{
    vec2 size = vec2(float(n * n), float(n));
    vec2 near = vec2(float(p.z * n + p.y) + 1.0, float(p.x) + 1.0) / size;
    vec2 far = vec2(float((p.z + 1) * n + p.y) + 1.0, float(p.x) + 1.0) / size;
    vec3 result;
    vec4 a, b;
#define CHANNEL(channel, at) \
    a = textureGather(strip, near, channel); \
    b = textureGather(strip, far, channel); \
    at = a.w * w0 \
        + (o.x ? (o.z ? a.x : b.w) : (o.y ? a.z : b.w)) * weights.x \
        + (o.x ? (o.y ? a.y : b.x) : (o.z ? a.y : b.z)) * weights.y \
        + b.y * weights.z;
    CHANNEL(0, result.x)
    CHANNEL(1, result.y)
    CHANNEL(2, result.z)
    return result;
}
#endif

struct Corners {
    PLACE at[4];
    vec4 weights;
};

Corners choose(vec3 color, int n)
{
    float last = float(n - 1);
    ivec3 p;
    vec3 f;
    axis(color.x, last, p.x, f.x);
    axis(color.y, last, p.y, f.y);
    axis(color.z, last, p.z, f.z);
    PLACE at = PLACE_OF(n, p);
    Corners c;
    c.at[0] = at;
    c.at[3] = at + STEP_R(n) + STEP_G(n) + STEP_B(n);
#if CHOOSE == CHAIN
    bool rg = f.x >= f.y;
    bool gb = f.y >= f.z;
    bool rb = f.x >= f.z;
    c.at[1] = at + (rg ? (rb ? STEP_R(n) : STEP_B(n)) : (gb ? STEP_G(n) : STEP_B(n)));
    c.at[2] = c.at[3] - (rg ? (gb ? STEP_B(n) : STEP_G(n)) : (rb ? STEP_B(n) : STEP_R(n)));
    float low = min(f.x, f.y);
    float high = max(f.x, f.y);
    float smallest = min(low, f.z);
    float largest = max(high, f.z);
    float middle = max(low, min(high, f.z));
    c.weights = vec4(1.0 - largest, largest - middle, middle - smallest, smallest);
#else
    if (f.x >= f.y) {
        if (f.y >= f.z) {
            c.at[1] = at + STEP_R(n);
            c.at[2] = c.at[3] - STEP_B(n);
            c.weights = vec4(1.0 - f.x, f.x - f.y, f.y - f.z, f.z);
        } else if (f.x >= f.z) {
            c.at[1] = at + STEP_R(n);
            c.at[2] = c.at[3] - STEP_G(n);
            c.weights = vec4(1.0 - f.x, f.x - f.z, f.z - f.y, f.y);
        } else {
            c.at[1] = at + STEP_B(n);
            c.at[2] = c.at[3] - STEP_G(n);
            c.weights = vec4(1.0 - f.z, f.z - f.x, f.x - f.y, f.y);
        }
    } else if (f.z >= f.y) {
        c.at[1] = at + STEP_B(n);
        c.at[2] = c.at[3] - STEP_R(n);
        c.weights = vec4(1.0 - f.z, f.z - f.y, f.y - f.x, f.x);
    } else if (f.z >= f.x) {
        c.at[1] = at + STEP_G(n);
        c.at[2] = c.at[3] - STEP_R(n);
        c.weights = vec4(1.0 - f.y, f.y - f.z, f.z - f.x, f.x);
    } else {
        c.at[1] = at + STEP_G(n);
        c.at[2] = c.at[3] - STEP_B(n);
        c.weights = vec4(1.0 - f.y, f.y - f.x, f.x - f.z, f.z);
    }
#endif
    return c;
}

vec4 load(ivec2 at)
{
#if PICTURE == 0
    return texelFetch(picture, at, 0);
#else
    return imageLoad(picture_image, at);
#endif
}

void main()
{
    int n = GRID;
#if ACROSS
    ivec2 first = ivec2(int(gl_WorkGroupID.x) * WG_X * PIXELS + int(gl_LocalInvocationID.x), int(gl_GlobalInvocationID.y));
    const ivec2 next = ivec2(WG_X, 0);
#else
    ivec2 first = ivec2(int(gl_GlobalInvocationID.x), int(gl_WorkGroupID.y) * WG_Y * PIXELS + int(gl_LocalInvocationID.y));
    const ivec2 next = ivec2(0, WG_Y);
#endif
#if FETCH == GATHER
    vec4 input_color = load(first);
    float last = float(n - 1);
    ivec3 p;
    vec3 f;
    axis(input_color.x, last, p.x, f.x);
    axis(input_color.y, last, p.y, f.y);
    axis(input_color.z, last, p.z, f.z);
    bvec3 order = bvec3(f.x >= f.y, f.y >= f.z, f.x >= f.z);
    float low = min(f.x, f.y);
    float high = max(f.x, f.y);
    float smallest = min(low, f.z);
    float largest = max(high, f.z);
    float middle = max(low, min(high, f.z));
    vec3 weights = vec3(largest - middle, middle - smallest, smallest);
    imageStore(graded, first, vec4(corners(order, n, p, weights, 1.0 - largest), input_color.w));
#else
    vec4 colors[PIXELS];
    for (int i = 0; i < PIXELS; ++i) {
        colors[i] = load(first + next * i);
    }
#if REUSE
    Corners before = choose(colors[0].xyz, n);
    vec3 e0 = entry(before.at[0], n);
    vec3 e1 = entry(before.at[1], n);
    vec3 e2 = entry(before.at[2], n);
    vec3 e3 = entry(before.at[3], n);
    for (int i = 0; i < PIXELS; ++i) {
        Corners c = choose(colors[i].xyz, n);
        if (c.at[0] != before.at[0] || c.at[1] != before.at[1] || c.at[2] != before.at[2]) {
            e0 = entry(c.at[0], n);
            e1 = entry(c.at[1], n);
            e2 = entry(c.at[2], n);
            e3 = entry(c.at[3], n);
            before = c;
        }
        vec3 result = e0 * c.weights.x + e1 * c.weights.y + e2 * c.weights.z + e3 * c.weights.w;
        imageStore(graded, first + next * i, vec4(result, colors[i].w));
    }
#else
    for (int i = 0; i < PIXELS; ++i) {
        Corners c = choose(colors[i].xyz, n);
#if ORDER == 0
        vec3 e0 = entry(c.at[0], n);
        vec3 e1 = entry(c.at[1], n);
        vec3 e2 = entry(c.at[2], n);
        vec3 e3 = entry(c.at[3], n);
#else
        vec3 e0 = entry(c.at[0], n);
        vec3 e3 = entry(c.at[3], n);
        vec3 e1 = entry(c.at[1], n);
        vec3 e2 = entry(c.at[2], n);
#endif
        vec3 result = e0 * c.weights.x + e1 * c.weights.y + e2 * c.weights.z + e3 * c.weights.w;
        imageStore(graded, first + next * i, vec4(result, colors[i].w));
    }
#endif
#endif
}
