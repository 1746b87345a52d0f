#version 450
// Puts a LUT strip on a picture: Vulkan, fragment shader. Picture and target are of the same size.
// Setup: docs/hosts/glsl.md
//@note

//@settings

layout(set = 0, binding = 0) uniform sampler2D picture;
layout(set = 0, binding = 1) uniform sampler2D lut_image;
layout(location = 0) out vec4 graded;

//@core

void main()
{
    ivec2 at = ivec2(gl_FragCoord.xy);
    float across = gl_FragCoord.x / float(textureSize(picture, 0).x);
    graded = vglb_main(lut_image, texelFetch(picture, at, 0), across);
}
