#version 430 core
// A plain strip into the buffer of entries, once for each LUT.
layout(local_size_x = 64) in;
layout(binding = 1) uniform sampler2D strip;
layout(std430, binding = 2) writeonly buffer Unpacked { vec4 unpacked[]; };

void main()
{
    ivec2 size = textureSize(strip, 0);
    int index = int(gl_GlobalInvocationID.x);
    if (index < size.x * size.y) {
        unpacked[index] = texelFetch(strip, ivec2(index % size.x, index / size.x), 0);
    }
}
