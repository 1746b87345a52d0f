#version 300 es
// Puts a LUT strip on a picture: OpenGL ES 3.0 and WebGL 2, fragment shader. Picture and target are of the same size.
// Setup: docs/hosts/glsl.md
//@note
precision highp float;
precision highp int;
precision highp sampler2D;

//@settings

uniform sampler2D picture;
uniform sampler2D lut_image;
out vec4 graded;

//@core

void main()
{
    ivec2 at = ivec2(gl_FragCoord.xy);
    float across = gl_FragCoord.x / float(textureSize(picture, 0).x);
    graded = vglb_main(lut_image, texelFetch(picture, at, 0), across);
}
