#version 430 core
// First of two passes that put a LUT strip on a picture: the LUT's texture into a buffer of entries. OpenGL 4.3 and
// later, compute shader, once for each LUT. Dispatch one work group for each 8x8 texels of the LUT's texture, and at
// least one; vglb_430_picture.comp is the second pass. Setup: docs/hosts/glsl.md
//@note

//@settings

layout(local_size_x = 8, local_size_y = 8) in;
layout(binding = 1) uniform sampler2D lut_image;
// Room for 1 + N*N*N vec4; with less, the picture stays as it is.
layout(std430, binding = 0) writeonly buffer LutEntries { vec4 written_entries[]; };

//@core

//@buffer_fill

void main()
{
    ivec2 size = textureSize(lut_image, 0);
    int n = vglb_grid_size(size);
    n = written_entries.length() > n * n * n ? n : 0;
    ivec2 at = ivec2(gl_GlobalInvocationID.xy);
    int index = at.y * size.x + at.x + 1;
    if (at.x == 0 && at.y == 0) {
        written_entries[0] = vec4(float(n), 0.0, 0.0, 0.0);
    }
    if (at.x < size.x && index <= n * n * n) {
        written_entries[index] = vglb_buffer_entry(lut_image, size, n, index);
    }
}
