#version 330 core
// Puts a LUT strip on a picture: OpenGL 3.3 and later, fragment shader. Draw it over the whole target with any vertex
// shader; picture and target are of the same size. Setup: docs/hosts/glsl.md
//@note

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
