// ---- Settings ----------------------------------------------------------------------------------------------------
// How the entries lie in the texture: 0 vglb (the default stream), 1 unreal, 2 unity, 3 hald-clut.
#ifndef VGLB_LAYOUT
#define VGLB_LAYOUT 0
#endif
// What the host has turned upside down: 0 nothing, 1 plain float textures, 2 byte planes, 3 both.
#ifndef VGLB_FLIP
#define VGLB_FLIP @flip@
#endif
// How much of the grade: 0.0 is the picture as it came, 1.0 the graded picture.
#ifndef VGLB_MIX
#define VGLB_MIX 1.0
#endif
// 1 paints four bands, the entries for black, red, green and blue: the orientation check.
#ifndef VGLB_CHECK
#define VGLB_CHECK 0
#endif
// 0 tetrahedral, 1 trilinear.
#ifndef VGLB_TRILINEAR
#define VGLB_TRILINEAR 0
#endif
// For pictures in linear light: the curve that the LUT expects (IN) and the one that it returns (OUT).
// 0 none, 1 sRGB, 2 ACEScct, 3 PQ. With PQ, linear 1.0 is VGLB_PQ_NITS cd/m2.
#ifndef VGLB_SHAPER_IN
#define VGLB_SHAPER_IN 0
#endif
#ifndef VGLB_SHAPER_OUT
#define VGLB_SHAPER_OUT 0
#endif
#ifndef VGLB_PQ_NITS
#define VGLB_PQ_NITS 100.0
#endif
// ------------------------------------------------------------------------------------------------------------------
