// Puts a LUT strip on a picture: Direct3D 11 and later, shader model 5.0 and later. Entry points: `pixel`, drawn over
// the whole target, and `compute`, one thread group for each 16x16 pixels. Picture and target are of the same size.
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

[numthreads(16, 16, 1)]
void compute(uint3 thread : SV_DispatchThreadID)
{
    int2 at = int2(thread.xy);
    int2 size = vglb_texture_size(picture);
    if (at.x < size.x && at.y < size.y) {
        graded[thread.xy] = vglb_at(at);
    }
}
