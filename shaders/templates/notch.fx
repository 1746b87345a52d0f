// Puts a LUT strip on a picture: Notch, Custom Shader Post-FX. Setup, and what is not known: docs/hosts/notch.md
//@note

Texture2D<float4> InputBuffer : INPUTBUFFER;
Texture2D<float4> LutImage;
float BlendAmount : BLENDAMOUNT;
float CheckBands;

#define VGLB_MIX BlendAmount
#define VGLB_CHECK int(CheckBands + 0.5)
//@settings

//@core

struct VglbCorner
{
    float4 position : SV_POSITION;
    float2 uv : TEXCOORD0;
};

VglbCorner VglbVertex(float4 position : POSITION)
{
    VglbCorner corner;
    corner.position = float4(position.xy, 0.0, 1.0);
    corner.uv = position.xy * 0.5 + 0.5;
    return corner;
}

float4 VglbPixel(VglbCorner corner) : SV_TARGET0
{
    return vglb_main(LutImage, InputBuffer.Load(int3(int2(corner.position.xy), 0)), corner.uv.x);
}

technique11 PostProcess
{
    pass P0
    {
        SetVertexShader(CompileShader(vs_5_0, VglbVertex()));
        SetGeometryShader(NULL);
        SetPixelShader(CompileShader(ps_5_0, VglbPixel()));
    }
}
