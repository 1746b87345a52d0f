// Puts a LUT strip on a picture: Metal. Functions: `vglb_fragment`, drawn over the whole target with `vglb_vertex` and
// three vertices, and `vglb_kernel`, one thread a pixel. Picture and target are of the same size.
// Setup: docs/hosts/metal.md
//@note
#include <metal_stdlib>
using namespace metal;

//@settings

//@core

inline float4 vglb_at(metal::texture2d<float> picture, metal::texture2d<float> lut_image, uint2 at)
{
    float across = (float(at.x) + 0.5f) / float(picture.get_width());
    return vglb_main(lut_image, picture.read(at), across);
}

struct VglbCorner
{
    float4 position [[position]];
};

vertex VglbCorner vglb_vertex(uint index [[vertex_id]])
{
    VglbCorner corner;
    corner.position = float4(index == 1u ? 3.0f : -1.0f, index == 2u ? 3.0f : -1.0f, 0.0f, 1.0f);
    return corner;
}

fragment float4 vglb_fragment(VglbCorner in [[stage_in]],
                              metal::texture2d<float> picture [[texture(0)]],
                              metal::texture2d<float> lut_image [[texture(1)]])
{
    return vglb_at(picture, lut_image, uint2(uint(in.position.x), uint(in.position.y)));
}

kernel void vglb_kernel(metal::texture2d<float> picture [[texture(0)]],
                        metal::texture2d<float> lut_image [[texture(1)]],
                        metal::texture2d<float, access::write> graded [[texture(2)]],
                        uint2 at [[thread_position_in_grid]])
{
    if (at.x < picture.get_width() && at.y < picture.get_height()) {
        graded.write(vglb_at(picture, lut_image, at), at);
    }
}
