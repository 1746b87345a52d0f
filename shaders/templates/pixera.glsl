// Puts a LUT strip on a picture: Pixera, custom shader. The file, the struct and the type of the function's first
// parameter must all be called vglb. Setup: docs/hosts/pixera.md
//@note

//@implements: sampler2D
struct vglb {
    sampler2D sampler;
    sampler2D lut;
    //@ label: "Mix[%]", editor: range, min: 0, max: 1, range_min: 0, range_max: 100, range_default: 100
    float mix;
    //@ label: "Check bands", editor: range, min: 0, max: 1, range_min: 0, range_max: 1, range_default: 0
    float check;
    //@ label: "Upside down", editor: range, min: 0, max: 3, range_min: 0, range_max: 3, range_default: 1
    float flip;
};

// The controls, where the functions below reach them.
float vglb_mix;
int vglb_check_bands;
int vglb_flip;
#define VGLB_MIX vglb_mix
#define VGLB_CHECK vglb_check_bands
#define VGLB_FLIP vglb_flip
//@settings

//@core

vec4 texture(vglb s, vec2 tex_coords)
{
    vglb_mix = s.mix;
    vglb_check_bands = int(s.check + 0.5);
    vglb_flip = int(s.flip + 0.5);
    return vglb_main(s, texture(s.sampler, tex_coords), tex_coords.x);
}
