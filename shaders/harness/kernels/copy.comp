#version 430 core
// The floor: the picture as it is.
layout(local_size_x = WG_X, local_size_y = WG_Y) in;
layout(binding = 0) uniform sampler2D picture;
layout(binding = 0, rgba32f) writeonly uniform image2D graded;
layout(binding = 1, rgba32f) readonly uniform image2D picture_image;

void main()
{
    ivec2 at = ivec2(gl_GlobalInvocationID.xy);
#if PICTURE == 0
    imageStore(graded, at, texelFetch(picture, at, 0));
#else
    imageStore(graded, at, imageLoad(picture_image, at));
#endif
}
