#version 430 core
// Byte planes into the buffer of entries, once for each LUT; then the picture needs four loads a pixel.
layout(local_size_x = 64) in;
layout(binding = 2) uniform sampler2D planes;
layout(std430, binding = 2) writeonly buffer Unpacked { vec4 unpacked[]; };

void main()
{
    ivec2 size = textureSize(planes, 0) / ivec2(1, 4);
    int index = int(gl_GlobalInvocationID.x);
    if (index < size.x * size.y) {
        ivec2 at = ivec2(index % size.x, index / size.x);
        vec3 b0 = texelFetch(planes, at, 0).xyz;
        vec3 b1 = texelFetch(planes, at + ivec2(0, size.y), 0).xyz;
        vec3 b2 = texelFetch(planes, at + ivec2(0, size.y * 2), 0).xyz;
        vec3 b3 = texelFetch(planes, at + ivec2(0, size.y * 3), 0).xyz;
        uvec3 low = floatBitsToUint(b0 * 255.0 + b1 * 65280.0 + 8388608.0) & 65535u;
        uvec3 high = floatBitsToUint(b2 * 255.0 + b3 * 65280.0 + 8388608.0) << 16;
        unpacked[index] = vec4(uintBitsToFloat(high | low), 1.0);
    }
}
