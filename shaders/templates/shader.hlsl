// Puts a LUT strip on a picture: Direct3D 11 and later, shader model 5.0 and later. Entry points: `pixel`, drawn over
// the whole target, and `compute`, one thread group for each 8x128 pixels. Picture and target are of the same size.
// Setup: docs/hosts/hlsl.md
//@note

//@settings

Texture2D<float4> picture : register(t0);
Texture2D<float4> lut_image : register(t1);
RWTexture2D<float4> graded : register(u0);

//@core

float4 vglb_at(int2 at)
{
    float across = (float(at.x) + 0.5) / float(vglb_texture_size(picture).x);
    return vglb_main(lut_image, picture.Load(int3(at, 0)), across);
}

float4 pixel(float4 position : SV_Position) : SV_Target0
{
    return vglb_at(int2(position.xy));
}

[numthreads(8, 32, 1)]
void compute(uint3 group : SV_GroupID, uint3 thread : SV_GroupThreadID)
{
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
        colors[j] = vglb_main(lut_image, colors[j], across);
    }
    [unroll]
    for (int k = 0; k < 4; ++k) {
        int2 here = at + int2(0, k * 32);
        if (here.x < size.x && here.y < size.y) {
            graded[uint2(here)] = colors[k];
        }
    }
}
