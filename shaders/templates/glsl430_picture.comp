#version 430 core
// Second of two passes that put a LUT strip on a picture: the picture, from the buffer that vglb_430_entries.comp has
// filled. OpenGL 4.3 and later, compute shader, four pixels a thread. Dispatch one work group for each 8x128 pixels.
// Setup: docs/hosts/glsl.md
//@note

//@settings

layout(local_size_x = 8, local_size_y = 32) in;
layout(binding = 0) uniform sampler2D picture;
layout(binding = 0, rgba32f) writeonly uniform image2D graded;
layout(std430, binding = 0) readonly buffer LutEntries { vec4 lut_entries[]; };

//@core

//@buffer_lookup

void main()
{
    int n = vglb_buffer_grid_size();
    ivec2 size = imageSize(graded);
    ivec2 at = ivec2(int(gl_GlobalInvocationID.x), int(gl_WorkGroupID.y) * 128 + int(gl_LocalInvocationID.y));
    float across = (float(at.x) + 0.5) / float(size.x);
    // All pixels are asked for before the first is graded: that is what makes several a thread pay.
    vec4 colors[4];
    for (int i = 0; i < 4; ++i) {
        colors[i] = texelFetch(picture, min(at + ivec2(0, i * 32), size - 1), 0);
    }
    for (int i = 0; i < 4; ++i) {
        colors[i] = vglb_buffer_main(n, colors[i], across);
    }
    for (int i = 0; i < 4; ++i) {
        ivec2 here = at + ivec2(0, i * 32);
        if (here.x < size.x && here.y < size.y) {
            imageStore(graded, here, colors[i]);
        }
    }
}
