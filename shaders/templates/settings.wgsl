// ---- Settings: constants that the pipeline can override ------------------------------------------------------------
// How the entries lie in the texture: 0 vglb (the default stream), 1 unreal, 2 unity, 3 hald-clut.
override VGLB_LAYOUT: i32 = 0;
// What the host has turned upside down: 0 nothing, 1 plain float textures, 2 byte planes, 3 both.
override VGLB_FLIP: i32 = @flip@;
// How much of the grade: 0.0 is the picture as it came, 1.0 the graded picture.
override VGLB_MIX: f32 = 1.0;
// 1 paints four bands, the entries for black, red, green and blue: the orientation check.
override VGLB_CHECK: i32 = 0;
// 0 tetrahedral, 1 trilinear.
override VGLB_TRILINEAR: i32 = 0;
// For pictures in linear light: the curve that the LUT expects (IN) and the one that it returns (OUT).
// 0 none, 1 sRGB, 2 ACEScct, 3 PQ. With PQ, linear 1.0 is VGLB_PQ_NITS cd/m2.
override VGLB_SHAPER_IN: i32 = 0;
override VGLB_SHAPER_OUT: i32 = 0;
override VGLB_PQ_NITS: f32 = 100.0;
// ------------------------------------------------------------------------------------------------------------------
