// Puts a LUT strip on a picture in two passes, faster than vglb.hlsl: Direct3D 11 and later, shader model 5.0 and later.
// Entry points: `entries`, once for each LUT, one thread group for each 8x8 texels of the LUT's texture and at least
// one; then `compute`, one thread group for each 8x128 pixels. Picture and target are of the same size.
// Setup: docs/hosts/hlsl.md
//@note

//@settings

Texture2D<float4> picture : register(t0);
Texture2D<float4> lut_image : register(t1);
// The same buffer, as `compute` reads it and as `entries` writes it: 1 + N*N*N float4; with less, the picture stays as
// it is.
StructuredBuffer<float4> lut_entries : register(t2);
RWStructuredBuffer<float4> written_entries : register(u1);
RWTexture2D<float4> graded : register(u0);

//@core

//@buffer_fill

//@buffer_lookup

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
