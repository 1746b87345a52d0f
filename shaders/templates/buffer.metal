// Puts a LUT strip on a picture in two passes, faster than vglb.metal: Metal. Functions: `vglb_entries_kernel`, once for
// each LUT, one thread for each texel of the LUT's texture and at least one; then `vglb_picture_kernel`, one thread for
// each column of four pixels, so width x ((height + 3) / 4) threads. Picture and target are of the same size.
// Setup: docs/hosts/metal.md
//@note
#include <metal_stdlib>
using namespace metal;

//@settings

//@core

//@buffer_fill

//@buffer_lookup

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
