#version 430 core
// Puts a LUT strip on a picture: OpenGL 4.3 and later, compute shader, four pixels a thread. Dispatch one
// work group for each 8x128 pixels. vglb_430_entries.comp and vglb_430_picture.comp do the same in two passes, faster.
// Setup: docs/hosts/glsl.md
//@note

//@settings

layout(local_size_x = 8, local_size_y = 32) in;
layout(binding = 0) uniform sampler2D picture;
layout(binding = 1) uniform sampler2D lut_image;
layout(binding = 0, rgba32f) writeonly uniform image2D graded;

//@core

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
