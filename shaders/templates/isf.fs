/*{
    "ISFVSN": "2",
    "VSN": "1.0",
    "DESCRIPTION": "Puts the LUT of a virtual-gpu-lut-box stream on the picture.",
    "CREDIT": "virtual-gpu-lut-box",
    "CATEGORIES": ["Color Adjustment"],
    "INPUTS": [
        {"NAME": "inputImage", "TYPE": "image"},
        {"NAME": "lutImage", "LABEL": "LUT stream", "TYPE": "image"},
        {"NAME": "amount", "LABEL": "Amount", "TYPE": "float", "MIN": 0.0, "MAX": 1.0, "DEFAULT": 1.0, "IDENTITY": 0.0},
        {"NAME": "checkBands", "LABEL": "Check bands", "TYPE": "bool", "DEFAULT": false},
        {"NAME": "upsideDown", "LABEL": "Upside down", "TYPE": "long", "DEFAULT": 1, "VALUES": [0, 1, 2, 3],
            "LABELS": ["nothing", "plain float", "byte planes", "both"]},
        {"NAME": "layoutOfLut", "LABEL": "Layout", "TYPE": "long", "DEFAULT": 0, "VALUES": [0, 1, 2, 3],
            "LABELS": ["vglb", "unreal", "unity", "hald-clut"]},
        {"NAME": "shaperIn", "LABEL": "Shaper before the LUT", "TYPE": "long", "DEFAULT": 0, "VALUES": [0, 1, 2, 3],
            "LABELS": ["none", "sRGB", "ACEScct", "PQ"]},
        {"NAME": "shaperOut", "LABEL": "Shaper after the LUT", "TYPE": "long", "DEFAULT": 0, "VALUES": [0, 1, 2, 3],
            "LABELS": ["none", "sRGB", "ACEScct", "PQ"]}
    ]
}*/
// ISF filter for Resolume, VDMX, MadMapper, Millumin and others. Setup: docs/hosts/isf.md
//@note

#define VGLB_LAYOUT int(layoutOfLut)
#define VGLB_FLIP int(upsideDown)
#define VGLB_MIX amount
#define VGLB_CHECK (checkBands ? 1 : 0)
#define VGLB_SHAPER_IN int(shaperIn)
#define VGLB_SHAPER_OUT int(shaperOut)
//@settings

//@core

void main()
{
    gl_FragColor = vglb_main(IMG_NORM_PIXEL(inputImage, isf_FragNormCoord), isf_FragNormCoord.x);
}
