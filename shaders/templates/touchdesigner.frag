// Puts a LUT strip on a picture: TouchDesigner, pixel shader of a GLSL TOP. First input: the picture; second input: the
// Syphon Spout In TOP with the LUT's stream. Setup: docs/hosts/touchdesigner.md
//@note

//@settings

layout(location = 0) out vec4 fragColor;

//@core

void main()
{
    vec4 picture = texture(sTD2DInputs[0], vUV.st);
#if TD_NUM_2D_INPUTS > 1
    picture = vglb_main(sTD2DInputs[1], picture, vUV.s);
#endif
    fragColor = TDOutputSwizzle(picture);
}
