// Puts a LUT strip on a picture: functions for your own shader, Direct3D 11 and later, shader model 5.0 and later. Call
//     float4 graded = vglb_apply(lut_texture, colour);
// or vglb_main(lut_texture, colour, x), x running from 0 at the left to 1 at the right, to have the check bands too.
// Setup: docs/hosts/hlsl.md
//@note
#ifndef VGLB_LUT_INCLUDED
#define VGLB_LUT_INCLUDED

//@settings

//@core

#endif
