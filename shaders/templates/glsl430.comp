#version 430 core
// Puts a LUT strip on a picture: OpenGL 4.3 and later, compute shader. Dispatch one work group for each 16x16 pixels.
// Setup: docs/hosts/glsl.md
//@note

//@settings

layout(local_size_x = 16, local_size_y = 16) in;
layout(binding = 0) uniform sampler2D picture;
layout(binding = 1) uniform sampler2D lut_image;
layout(binding = 0, rgba32f) writeonly uniform image2D graded;

//@core

void main()
{
    ivec2 at = ivec2(gl_GlobalInvocationID.xy);
    ivec2 size = imageSize(graded);
    if (at.x < size.x && at.y < size.y) {
        float across = (float(at.x) + 0.5) / float(size.x);
        imageStore(graded, at, vglb_main(lut_image, texelFetch(picture, at, 0), across));
    }
}
