// Puts a LUT strip on a picture: functions for your own GLSL 3.30+ or GLSL ES 3.00+ shader. Call
//     vec4 graded = vglb_apply(lut_sampler, colour);
// or vglb_main(lut_sampler, colour, x), x running from 0 at the left to 1 at the right, to have the check bands too.
// Setup: docs/hosts/glsl.md
//@note
#ifndef VGLB_LUT_INCLUDED
#define VGLB_LUT_INCLUDED

//@settings

//@core

#endif
